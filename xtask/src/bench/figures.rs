//! Figures, and what follows from them: medians, ratios, whether limits are kept.

use serde::Serialize;

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
}

/// A command that every command of the same scene is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Baseline {
    /// Its name in the rows.
    pub(crate) command: String,
    /// A word for the head of a column.
    pub(crate) word: String,
}

impl Baseline {
    /// With these words.
    pub(crate) fn new(command: &str, word: &str) -> Self {
        Self { command: command.to_owned(), word: word.to_owned() }
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
    /// What it may come to at most.
    pub(crate) limit: Option<f64>,
    /// All figures, in the order of the rounds.
    pub(crate) figures: Vec<f64>,
}

/// What figures are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unit {
    /// Wall time.
    Milliseconds,
    /// Size or memory.
    Bytes,
}

impl Row {
    /// A row without ratios; `None` without figures.
    pub(crate) fn new(
        scene: &str,
        command: &str,
        unit: Unit,
        figures: Vec<f64>,
        limit: Option<f64>,
    ) -> Option<Self> {
        Some(Self {
            scene: scene.to_owned(),
            command: command.to_owned(),
            unit,
            median: median(&figures)?,
            min: figures.iter().copied().reduce(f64::min)?,
            max: figures.iter().copied().reduce(f64::max)?,
            ratios: Vec::new(),
            limit,
            figures,
        })
    }

    /// What the limit is held against. Times have outliers that are the machine's; whoever once
    /// needs more memory than there is, fails.
    fn judged(&self) -> f64 {
        match self.unit {
            Unit::Milliseconds => self.median,
            Unit::Bytes => self.max,
        }
    }

    /// Whether the limit is kept; no limit is.
    pub(crate) fn is_kept(&self) -> bool {
        self.limit.is_none_or(|limit| self.judged() <= limit)
    }
}

/// Compares every row with the baselines of its scene.
pub(crate) fn compare(rows: &mut [Row], baselines: &[Baseline]) {
    let medians: Vec<_> =
        rows.iter().map(|row| (row.scene.clone(), row.command.clone(), row.median)).collect();
    for row in rows {
        let ratio = |baseline: &Baseline| {
            let (.., median) = medians
                .iter()
                .find(|(scene, command, _)| *scene == row.scene && *command == baseline.command)?;
            (*median > 0.0).then(|| row.median / median)
        };
        row.ratios = baselines.iter().map(ratio).collect();
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
        assert_eq!(Row::new("s", "c", Unit::Bytes, Vec::new(), None), None);
    }

    #[test]
    fn times_are_judged_by_the_median_and_memory_by_the_peak() {
        let mut row = row("s", "c", &[3.0, 1.0, 8.0], Some(3.0));
        assert!(row.is_kept());
        row.unit = Unit::Bytes;
        assert!(!row.is_kept());
        row.limit = Some(8.0);
        assert!(row.is_kept());
        row.limit = None;
        assert!(row.is_kept());
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
