//! A report as Markdown that can be read as it stands, too.

use super::figures::{Report, Row, Unit};

/// The report: a heading, the circumstances, the table.
pub(crate) fn markdown(report: &Report) -> String {
    let mut grid = vec![head(report)];
    grid.extend(report.rows.iter().map(cells));
    let columns = grid.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns).map(|column| width(&grid, column)).collect();
    let mut lines = vec![format!("## {}", report.suite), String::new()];
    lines.extend(report.circumstances.iter().map(|told| format!("- {told}")));
    lines.push(String::new());
    for (number, row) in grid.iter().enumerate() {
        lines.push(line(row, &widths));
        if number == 0 {
            lines.push(rule(&widths));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// The first columns hold words, the others figures.
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
    let kept = match (row.limit, row.is_kept()) {
        (None, _) => "",
        (Some(_), true) => "yes",
        (Some(_), false) => "**NO**",
    };
    cells.extend([row.limit.map(shown).unwrap_or_default(), kept.to_owned()]);
    cells
}

fn show(unit: Unit, figure: f64) -> String {
    const MEBIBYTE: f64 = 1024.0 * 1024.0;
    match unit {
        Unit::Milliseconds if figure < 100.0 => format!("{figure:.2} ms"),
        Unit::Milliseconds => format!("{figure:.0} ms"),
        Unit::Bytes => format!("{:.2} MiB", figure / MEBIBYTE),
    }
}

fn width(grid: &[Vec<String>], column: usize) -> usize {
    let cells = grid.iter().filter_map(|row| row.get(column));
    cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
}

fn line(row: &[String], widths: &[usize]) -> String {
    let cell = |(column, (cell, width)): (usize, (&String, &usize))| {
        if column < WORDS { format!(" {cell:<width$} ") } else { format!(" {cell:>width$} ") }
    };
    let cells: Vec<_> = row.iter().zip(widths).enumerate().map(cell).collect();
    format!("|{}|", cells.join("|"))
}

fn rule(widths: &[usize]) -> String {
    let cell = |(column, width): (usize, &usize)| {
        let end = if column < WORDS { "-" } else { ":" };
        format!("{}{end}", "-".repeat(width + 1))
    };
    let cells: Vec<_> = widths.iter().enumerate().map(cell).collect();
    format!("|{}|", cells.join("|"))
}

#[cfg(test)]
mod tests {
    use super::super::figures::{Baseline, compare};
    use super::*;

    #[test]
    fn a_report_is_a_table_with_plain_words_for_broken_limits() {
        let rows = [
            ("empty log", "ours", Unit::Milliseconds, vec![1.0, 2.5, 3.0], Some(5.0)),
            ("empty log", "rival", Unit::Milliseconds, vec![105.4], None),
            ("peak memory", "ours", Unit::Bytes, vec![1024.0 * 1024.0, 2048.0 * 1024.0], Some(5.0)),
        ];
        let rows = rows.map(|(scene, command, unit, figures, limit)| {
            Row::new(scene, command, unit, figures, limit).unwrap()
        });
        let mut report = Report {
            suite: "validator".to_owned(),
            circumstances: vec!["3 rounds.".to_owned()],
            baselines: vec![Baseline::new("ours", "ours")],
            rows: rows.into(),
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
}
