//! Figures, and what follows from them: medians, ratios, whether limits are kept.

use serde::Serialize;

use crate::report::path::Spent;

/// What a suite has found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Report {
    /// The suite's name.
    pub(crate) suite: String,
    /// What was measured under which circumstances, a sentence each.
    pub(crate) circumstances: Vec<String>,
    /// What is compared with.
    pub(crate) baselines: Vec<Baseline>,
    /// One for each thing that was measured.
    pub(crate) rows: Vec<Row>,
    /// Where the time of single runs went; empty where that is not asked.
    pub(crate) spendings: Vec<Spending>,
}

/// Where the time of one run went.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Spending {
    /// The run, in a word or two.
    pub(crate) run: String,
    /// All of its time, in order.
    pub(crate) spent: Vec<Spent>,
    /// The builds that decided its end; empty where all of them did, one after another.
    pub(crate) chain: Vec<String>,
    /// What the machine's processors did meanwhile, where that is known.
    pub(crate) work: Option<Work>,
}

/// What processors did in some time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Work {
    /// How long all of them together were at work, in seconds.
    pub(crate) busy_seconds: f64,
    /// How many there are.
    pub(crate) processors: usize,
}

impl Work {
    /// How long the same work takes at the very least, in seconds: when no processor ever waits.
    pub(crate) fn at_least_seconds(self) -> f64 {
        let processors = u32::try_from(self.processors.max(1)).unwrap_or(u32::MAX);
        self.busy_seconds / f64::from(processors)
    }
}

/// A command that the others are compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Baseline {
    /// Its name in the rows.
    pub(crate) command: String,
    /// The scene that counts for all rows; `None` for each row's own.
    pub(crate) scene: Option<String>,
    /// A word for the head of a column.
    pub(crate) word: String,
}

impl Baseline {
    /// One for the rows of the same scene.
    pub(crate) fn new(command: &str, word: &str) -> Self {
        Self { command: command.to_owned(), scene: None, word: word.to_owned() }
    }

    /// One for all rows.
    pub(crate) fn in_scene(command: &str, scene: &str, word: &str) -> Self {
        Self { scene: Some(scene.to_owned()), ..Self::new(command, word) }
    }

    /// Whether that row is what a row of `scene` is compared with.
    fn is(&self, row: &Row, scene: &str) -> bool {
        row.command == self.command && row.scene == self.scene.as_deref().unwrap_or(scene)
    }
}

/// What a figure may come to. Without a figure to hold it against it is not kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Limit {
    /// Whether it is a floor rather than a ceiling.
    pub(crate) is_floor: bool,
    /// What the figure follows from; `None` where it is given.
    pub(crate) against: Option<Against>,
    /// The figure, in the row's unit; [`compare`] sets it where it follows from a baseline.
    pub(crate) figure: Option<f64>,
}

/// A multiple of a baseline's median, and something on top.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Against {
    /// The baseline's word.
    pub(crate) baseline: String,
    /// How many times its median.
    pub(crate) times: f64,
    /// In the row's unit.
    pub(crate) plus: f64,
}

impl Limit {
    /// At most this, in the row's unit.
    pub(crate) fn at_most(figure: f64) -> Self {
        Self { is_floor: false, against: None, figure: Some(figure) }
    }

    /// At least this, in the row's unit.
    pub(crate) fn at_least(figure: f64) -> Self {
        Self { is_floor: true, against: None, figure: Some(figure) }
    }

    /// At most so many times the median of the baseline of that word, and `plus`.
    pub(crate) fn against(baseline: &str, times: f64, plus: f64) -> Self {
        let baseline = baseline.to_owned();
        Self { is_floor: false, against: Some(Against { baseline, times, plus }), figure: None }
    }

    fn is_kept(&self, judged: f64) -> bool {
        self.figure.is_some_and(
            |figure| {
                if self.is_floor { judged >= figure } else { judged <= figure }
            },
        )
    }
}

/// One thing that was measured, as often as there were rounds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Row {
    /// What was done, or which property it is.
    pub(crate) scene: String,
    /// Who did it.
    pub(crate) command: String,
    /// What the figures are in.
    pub(crate) unit: Unit,
    /// The middle one.
    pub(crate) median: f64,
    /// The smallest.
    pub(crate) min: f64,
    /// The largest.
    pub(crate) max: f64,
    /// How many times the median of each baseline this one's median is; none where the baseline has
    /// no row in this scene.
    pub(crate) ratios: Vec<Option<f64>>,
    /// What it may come to.
    pub(crate) limits: Vec<Limit>,
    /// All figures, in the order of the rounds.
    pub(crate) figures: Vec<f64>,
}

/// What figures are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unit {
    /// Wall time.
    Milliseconds,
    /// Wall time of something long.
    Seconds,
    /// Size or memory.
    Bytes,
    /// A share.
    Percent,
}

impl Row {
    /// A row without ratios; `None` without figures.
    pub(crate) fn new(
        scene: &str,
        command: &str,
        unit: Unit,
        figures: Vec<f64>,
        limits: impl IntoIterator<Item = Limit>,
    ) -> Option<Self> {
        Some(Self {
            scene: scene.to_owned(),
            command: command.to_owned(),
            unit,
            median: median(&figures)?,
            min: figures.iter().copied().reduce(f64::min)?,
            max: figures.iter().copied().reduce(f64::max)?,
            ratios: Vec::new(),
            limits: limits.into_iter().collect(),
            figures,
        })
    }

    /// What limits are held against. Times have outliers that are the machine's; whoever once
    /// needs more memory than there is, fails, and a share that has to be reached has to be each
    /// time.
    fn judged(&self) -> f64 {
        match self.unit {
            Unit::Milliseconds | Unit::Seconds => self.median,
            Unit::Bytes => self.max,
            Unit::Percent => self.min,
        }
    }

    /// Whether all limits are kept; none are.
    pub(crate) fn is_kept(&self) -> bool {
        self.limits.iter().all(|limit| limit.is_kept(self.judged()))
    }
}

/// Compares every row with the baselines, and works out the limits that follow from them.
pub(crate) fn compare(rows: &mut [Row], baselines: &[Baseline]) {
    let unchanged = rows.to_vec();
    for row in rows {
        let median = |baseline: &Baseline| {
            let theirs = unchanged.iter().find(|theirs| baseline.is(theirs, &row.scene))?;
            (theirs.unit == row.unit).then_some(theirs.median)
        };
        let medians: Vec<_> = baselines.iter().map(median).collect();
        let ratio = |median: &Option<f64>| {
            median.filter(|median| *median > 0.0).map(|median| row.median / median)
        };
        row.ratios = medians.iter().map(ratio).collect();
        for limit in &mut row.limits {
            let Some(Against { baseline, times, plus }) = &limit.against else { continue };
            let found = baselines.iter().zip(&medians).find(|(it, _)| it.word == *baseline);
            limit.figure = found.and_then(|(_, median)| *median).map(|it| it * times + plus);
        }
    }
}

/// The middle of some figures, the mean of the two middle ones where their number is even.
pub(super) fn median(figures: &[f64]) -> Option<f64> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(*sorted.get(middle.checked_sub(1)?)?, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(scene: &str, command: &str, figures: &[f64], limit: Option<f64>) -> Row {
        let limit = limit.map(Limit::at_most);
        Row::new(scene, command, Unit::Milliseconds, figures.to_vec(), limit).unwrap()
    }

    #[test]
    fn medians_of_any_number() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[9.0, 1.0]), Some(5.0));
        assert_eq!(median(&[9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 9.0, 1.0, 2.0]), Some(3.0));
    }

    #[test]
    fn a_row_knows_its_extremes_and_needs_figures() {
        let row = row("s", "c", &[3.0, 1.0, 8.0], None);
        assert_eq!((row.min, row.median, row.max), (1.0, 3.0, 8.0));
        assert_eq!(Row::new("s", "c", Unit::Bytes, Vec::new(), []), None);
    }

    #[test]
    fn times_are_judged_by_the_median_and_memory_by_the_peak() {
        let mut row = row("s", "c", &[3.0, 1.0, 8.0], Some(3.0));
        assert!(row.is_kept());
        row.unit = Unit::Seconds;
        assert!(row.is_kept());
        row.unit = Unit::Bytes;
        assert!(!row.is_kept());
        row.limits = vec![Limit::at_most(8.0)];
        assert!(row.is_kept());
        row.limits.clear();
        assert!(row.is_kept());
    }

    #[test]
    fn a_share_has_to_be_reached_each_time() {
        let row = |figures: &[f64]| {
            let limit = Limit::at_least(100.0);
            Row::new("s", "c", Unit::Percent, figures.to_vec(), [limit]).unwrap()
        };
        assert!(row(&[100.0, 100.0]).is_kept());
        assert!(!row(&[100.0, 99.9, 100.0]).is_kept());
    }

    #[test]
    fn limits_that_follow_from_a_baseline() {
        let baselines = [Baseline::in_scene("plain", "cold", "a"), Baseline::new("rival", "b")];
        let cases: [(&str, Vec<Limit>, Option<f64>, bool); 8] = [
            ("cold", vec![Limit::against("a", 0.5, 0.0)], Some(100.0), true),
            ("cold", vec![Limit::against("b", 0.6, 0.0)], Some(60.0), true),
            ("cold", vec![Limit::against("b", 0.59, 0.0)], Some(59.0), false),
            ("cold", vec![Limit::against("b", 0.59, 1.0)], Some(60.0), true),
            (
                "cold",
                vec![Limit::against("a", 1.0, 0.0), Limit::against("b", 0.1, 0.0)],
                None,
                false,
            ),
            ("warm", vec![Limit::against("a", 0.25, 0.0)], Some(50.0), false),
            // Nobody has measured these.
            ("warm", vec![Limit::against("b", 9.0, 0.0)], None, false),
            ("cold", vec![Limit::against("z", 9.0, 0.0)], None, false),
        ];
        for (number, (scene, limits, figure, kept)) in cases.into_iter().enumerate() {
            let mut rows = vec![
                row("cold", "plain", &[200.0], None),
                row("cold", "rival", &[100.0], None),
                Row { limits, ..row(scene, "ours", &[60.0], None) },
            ];
            compare(&mut rows, &baselines);
            assert_eq!(rows[2].is_kept(), kept, "{number}");
            if let [limit] = rows[2].limits.as_slice() {
                assert_eq!(limit.figure, figure, "{number}");
            }
            let cold = Some(0.3);
            let expected = if scene == "cold" { [cold, Some(0.6)] } else { [cold, None] };
            assert_eq!(rows[2].ratios, expected, "{number}");
        }
    }

    #[test]
    fn what_is_in_another_unit_is_not_compared() {
        let mut rows = vec![row("s", "ours", &[2.0], None), row("s", "ours", &[2.0], None)];
        rows[1].unit = Unit::Percent;
        compare(&mut rows, &[Baseline::new("ours", "a")]);
        assert_eq!((&rows[0].ratios, &rows[1].ratios), (&vec![Some(1.0)], &vec![None]));
    }

    #[test]
    fn ratios_are_within_a_scene() {
        let mut rows = vec![
            row("small", "ours", &[2.0], None),
            row("small", "rival", &[5.0], None),
            row("large", "other", &[0.0], None),
            row("large", "rival", &[7.0], None),
        ];
        compare(&mut rows, &[Baseline::new("ours", "a"), Baseline::new("other", "b")]);
        let ratios: Vec<_> = rows.iter().map(|row| row.ratios.as_slice()).collect();
        assert_eq!(ratios[0], [Some(1.0), None]);
        assert_eq!(ratios[1], [Some(2.5), None]);
        assert_eq!(ratios[2], [None, None], "nothing is a multiple of zero");
        assert_eq!(ratios[3], [None, None]);
    }
}
