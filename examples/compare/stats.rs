//! Statistics of a list of figures. Pure.

/// Order statistics.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// Third quartile minus first.
    pub(crate) iqr: f64,
}

/// All zero when there are no values.
pub(crate) fn summary(values: &[f64]) -> Summary {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Summary {
        median: quantile(&sorted, 2),
        min: quantile(&sorted, 0),
        max: quantile(&sorted, 4),
        iqr: quantile(&sorted, 3) - quantile(&sorted, 1),
    }
}

pub(crate) fn median(values: &[f64]) -> f64 {
    summary(values).median
}

/// The quartile, 0 to 4, of sorted values, interpolated between neighbours.
fn quantile(sorted: &[f64], quarter: usize) -> f64 {
    let places = sorted.len().saturating_sub(1) * quarter;
    let (below, rest) = (places / 4, places % 4);
    let low = sorted.get(below).copied().unwrap_or_default();
    let high = sorted.get(below + 1).copied().unwrap_or(low);
    let fraction = [0.0, 0.25, 0.5, 0.75].get(rest).copied().unwrap_or_default();
    low + (high - low) * fraction
}

/// Counts and sizes here are far below 2^52, where every integer still has a float of its own.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}
