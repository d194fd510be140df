//! Human-readable times and rates.

use crate::render::human::duration_ms;

pub(super) fn us(us: u64) -> String {
    match us {
        0..1000 => format!("{us} µs"),
        1000..1_000_000 => format!("{}.{} ms", us / 1000, us % 1000 / 100),
        _ => duration_ms(us / 1000),
    }
}

/// Formats bytes per second as bits, in powers of 1000, as is usual for networks.
pub(super) fn bits(bytes_per_s: u64) -> String {
    let mut tenths = u128::from(bytes_per_s) * 80;
    let mut units = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    for next in units {
        if tenths < 10_000 {
            break;
        }
        tenths /= 1000;
        unit = next;
    }
    match tenths % 10 {
        0 => format!("{} {unit}", tenths / 10),
        tenth => format!("{}.{tenth} {unit}", tenths / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_bits_by_thousands() {
        assert_eq!(bits(125), "1 kbit/s");
        assert_eq!(bits(1_175_000), "9.4 Mbit/s");
        assert_eq!(bits(0), "0 bit/s");
    }
}
