//! A report as Markdown that can be read as it stands, too.

use super::figures::{Limit, Report, Row, Spending, Unit, Work};

/// The report: a heading, the circumstances, the tables.
pub(crate) fn markdown(report: &Report) -> String {
    let mut lines = vec![format!("## {}", report.suite), String::new()];
    lines.extend(report.circumstances.iter().map(|told| format!("- {told}")));
    lines.push(String::new());
    let mut grid = vec![head(report)];
    grid.extend(report.rows.iter().map(cells));
    lines.extend(table(&grid, WORDS));
    lines.push(String::new());
    if !report.spendings.is_empty() {
        lines.extend(where_time_went(&report.spendings));
    }
    lines.join("\n")
}

/// A column for each run, a row for each thing that time went into, and who decided the end.
fn where_time_went(spendings: &[Spending]) -> Vec<String> {
    let heading = "Where the time goes, in seconds (the last round; of builds side by side, those \
                   that decide the end):";
    let mut grid = vec![vec![String::new()]];
    grid[0].extend(spendings.iter().map(|spending| spending.run.clone()));
    for name in names(spendings) {
        let mut row = vec![name.to_owned()];
        row.extend(spendings.iter().map(|spending| {
            let spent = spending.spent.iter().find(|spent| spent.name == name);
            spent.map_or_else(String::new, |spent| format!("{:.1}", spent.seconds))
        }));
        grid.push(row);
    }
    let mut sums = vec!["all".to_owned()];
    sums.extend(spendings.iter().map(|spending| {
        let sum: f64 = spending.spent.iter().map(|spent| spent.seconds).sum();
        format!("{sum:.1}")
    }));
    grid.push(sums);
    for (name, seconds) in WORK {
        let known = spendings.iter().map(|spending| spending.work.map(seconds));
        if known.clone().any(|it| it.is_some()) {
            let shown = known.map(|it| it.map_or_else(String::new, |it| format!("{it:.1}")));
            grid.push(std::iter::once(name.to_owned()).chain(shown).collect());
        }
    }
    let mut lines = vec![heading.to_owned(), String::new()];
    lines.extend(table(&grid, 1));
    lines.push(String::new());
    let chains = spendings.iter().filter(|spending| !spending.chain.is_empty());
    lines.extend(chains.map(|it| format!("- {}: {}", it.run, short(&it.chain).join(", then "))));
    lines.push(String::new());
    lines
}

type Seconds = fn(Work) -> f64;

/// What is shown of the processors' work: its name, and the seconds.
const WORK: [(&str, Seconds); 2] = [
    ("all processors, busy", |work| work.busy_seconds),
    ("the least it can take", Work::at_least_seconds),
];

/// Build identifiers without their platform, if they have it in common.
fn short(chain: &[String]) -> Vec<&str> {
    let parts: Vec<_> = chain.iter().map(|it| it.split_once('-').unwrap_or((it, ""))).collect();
    let is_common = parts.windows(2).all(|two| two[0].1 == two[1].1);
    let whole = chain.iter().map(String::as_str);
    if is_common { parts.iter().map(|part| part.0).collect() } else { whole.collect() }
}

/// All names, each after the one that it follows where it first comes up.
fn names(spendings: &[Spending]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for spending in spendings {
        let mut place = 0;
        for spent in &spending.spent {
            let known = names.iter().position(|name| *name == spent.name);
            place = 1 + known.unwrap_or_else(|| {
                names.insert(place, &spent.name);
                place
            });
        }
    }
    names
}

/// Rows as Markdown; the first is the head. The first `words` columns hold words, the others
/// figures.
fn table(grid: &[Vec<String>], words: usize) -> Vec<String> {
    let columns = grid.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns).map(|column| width(grid, column)).collect();
    let mut lines = Vec::new();
    for (number, row) in grid.iter().enumerate() {
        lines.push(line(row, &widths, words));
        if number == 0 {
            lines.push(rule(&widths, words));
        }
    }
    lines
}

/// The columns of the main table that hold words.
const WORDS: usize = 2;

fn head(report: &Report) -> Vec<String> {
    let mut head: Vec<String> =
        ["measured", "command", "median", "min", "max"].map(Into::into).into();
    head.extend(report.baselines.iter().map(|baseline| format!("to {}", baseline.word)));
    head.extend(["limit", "kept"].map(Into::into));
    head
}

fn cells(row: &Row) -> Vec<String> {
    let shown = |figure| show(row.unit, figure);
    let mut cells = vec![row.scene.clone(), row.command.clone()];
    cells.extend([row.median, row.min, row.max].map(shown));
    cells.extend(row.ratios.iter().map(|ratio| match ratio {
        Some(ratio) if *ratio < 9.95 => format!("{ratio:.2}"),
        Some(ratio) => format!("{ratio:.1}"),
        None => String::new(),
    }));
    let kept = match (row.limits.is_empty(), row.is_kept()) {
        (true, _) => "",
        (false, true) => "yes",
        (false, false) => "**NO**",
    };
    let limits: Vec<_> = row.limits.iter().map(|limit| show_limit(row.unit, limit)).collect();
    cells.extend([limits.join(", "), kept.to_owned()]);
    cells
}

fn show_limit(unit: Unit, limit: &Limit) -> String {
    match (&limit.against, limit.figure) {
        (Some(against), _) if against.plus > 0.0 => {
            format!("{:.2} {} + {}", against.times, against.baseline, show(unit, against.plus))
        }
        (Some(against), _) => format!("{:.2} {}", against.times, against.baseline),
        (None, figure) => figure.map(|figure| show(unit, figure)).unwrap_or_default(),
    }
}

fn show(unit: Unit, figure: f64) -> String {
    const MEBIBYTE: f64 = 1024.0 * 1024.0;
    match unit {
        Unit::Milliseconds if figure < 100.0 => format!("{figure:.2} ms"),
        Unit::Milliseconds => format!("{figure:.0} ms"),
        Unit::Seconds if figure < 9.95 => format!("{figure:.2} s"),
        Unit::Seconds => format!("{figure:.1} s"),
        Unit::Bytes => format!("{:.2} MiB", figure / MEBIBYTE),
        // Not rounded up: 166 of 167 must not read as all.
        Unit::Percent => format!("{:.1} %", (figure * 10.0).floor() / 10.0),
    }
}

fn width(grid: &[Vec<String>], column: usize) -> usize {
    let cells = grid.iter().filter_map(|row| row.get(column));
    cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
}

fn line(row: &[String], widths: &[usize], words: usize) -> String {
    let cell = |(column, (cell, width)): (usize, (&String, &usize))| {
        if column < words { format!(" {cell:<width$} ") } else { format!(" {cell:>width$} ") }
    };
    let cells: Vec<_> = row.iter().zip(widths).enumerate().map(cell).collect();
    format!("|{}|", cells.join("|"))
}

fn rule(widths: &[usize], words: usize) -> String {
    let cell = |(column, width): (usize, &usize)| {
        let end = if column < words { "-" } else { ":" };
        format!("{}{end}", "-".repeat(width + 1))
    };
    let cells: Vec<_> = widths.iter().enumerate().map(cell).collect();
    format!("|{}|", cells.join("|"))
}

#[cfg(test)]
mod tests {
    use super::super::figures::{Baseline, compare};
    use super::*;
    use crate::report::path::Spent;

    #[test]
    fn a_report_is_a_table_with_plain_words_for_broken_limits() {
        let rows = [
            ("empty log", "ours", Unit::Milliseconds, vec![1.0, 2.5, 3.0], Some(5.0)),
            ("empty log", "rival", Unit::Milliseconds, vec![105.4], None),
            ("peak memory", "ours", Unit::Bytes, vec![1024.0 * 1024.0, 2048.0 * 1024.0], Some(5.0)),
        ];
        let rows = rows.map(|(scene, command, unit, figures, limit)| {
            Row::new(scene, command, unit, figures, limit.map(Limit::at_most)).unwrap()
        });
        let mut report = Report {
            suite: "validator".to_owned(),
            circumstances: vec!["3 rounds.".to_owned()],
            baselines: vec![Baseline::new("ours", "ours")],
            rows: rows.into(),
            spendings: Vec::new(),
        };
        compare(&mut report.rows, &report.baselines);
        let expected = "\
## validator

- 3 rounds.

| measured    | command |   median |      min |      max | to ours |    limit |   kept |
|-------------|---------|---------:|---------:|---------:|--------:|---------:|-------:|
| empty log   | ours    |  2.50 ms |  1.00 ms |  3.00 ms |    1.00 |  5.00 ms |    yes |
| empty log   | rival   |   105 ms |   105 ms |   105 ms |    42.2 |          |        |
| peak memory | ours    | 1.50 MiB | 1.00 MiB | 2.00 MiB |    1.00 | 0.00 MiB | **NO** |
";
        assert_eq!(markdown(&report), expected);
    }

    #[test]
    fn limits_say_what_they_follow_from() {
        for (limit, text) in [
            (Limit::against("b", 0.35, 0.0), "0.35 b"),
            (Limit::against("raw", 1.01, 0.3), "1.01 raw + 0.30 s"),
            (Limit::at_least(12.0), "12.0 s"),
        ] {
            assert_eq!(show_limit(Unit::Seconds, &limit), text);
        }
        assert_eq!(show(Unit::Percent, 99.99), "99.9 %");
    }

    #[test]
    fn the_times_of_runs_stand_side_by_side_and_names_stay_in_order() {
        let spending = |run: &str, spent: &[(&str, f64)], chain: &[&str]| Spending {
            run: run.to_owned(),
            spent: spent
                .iter()
                .map(|&(name, seconds)| Spent { name: name.to_owned(), seconds })
                .collect(),
            chain: chain.iter().map(|&identifier| identifier.to_owned()).collect(),
            work: (run == "c").then_some(Work { busy_seconds: 25.0, processors: 2 }),
        };
        let spendings = [
            spending("a", &[("container", 1.0), ("build", 20.25), ("test", 3.0)], &[]),
            spending(
                "c",
                &[("own", 0.5), ("container", 2.0), ("compile", 10.0), ("test", 3.0)],
                &["cp310-manylinux_x86_64", "cp313-manylinux_x86_64"],
            ),
        ];
        let expected = "\
|                       |    a |    c |
|-----------------------|-----:|-----:|
| own                   |      |  0.5 |
| container             |  1.0 |  2.0 |
| compile               |      | 10.0 |
| build                 | 20.2 |      |
| test                  |  3.0 |  3.0 |
| all                   | 24.2 | 15.5 |
| all processors, busy  |      | 25.0 |
| the least it can take |      | 12.5 |

- c: cp310, then cp313
";
        let told = where_time_went(&spendings).join("\n");
        assert!(told.ends_with(expected), "{told}");
        let mixed = ["cp310-manylinux_x86_64", "cp310-musllinux_x86_64"].map(Into::into);
        assert_eq!(short(&mixed), mixed);
    }
}
