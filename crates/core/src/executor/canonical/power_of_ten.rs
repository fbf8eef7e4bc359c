//! Powers of ten as SQLite approximates them: the first 96 bits of each, the highest of which is set.
//!
//! Every 27th power is rounded to 96 bits. The others are products of these and a power of ten that is exact, cut off; so
//! their last bits are not always the right ones, and SQLite's text of a number depends on them.

/// The powers with an exponent that is a multiple of 27, from 10^-351 on.
const SCALES: [u128; 26] = [
    0x8049a4ac_0c5811ae_205b896d, // 10^-351
    0xcf42894a_5dce35ea_52064cad, // 10^-324
    0xa76c5823_38ed2621_af2af2b8, // 10^-297
    0x873e4f75_e2224e68_5a7744a7, // 10^-270
    0xda7f5bf5_90966848_af39a475, // 10^-243
    0xb080392c_c4349dec_bd8d794e, // 10^-216
    0x8e938662_882af53e_547eb47b, // 10^-189
    0xe65829b3_046b0afa_0cb4a5a3, // 10^-162
    0xba121a46_50e4ddeb_92f34d62, // 10^-135
    0x964e858c_91ba2655_3a6a07f9, // 10^-108
    0xf2d56790_ab41c2a2_fae27299, // 10^-81
    0xc428d05a_a4751e4c_aa97e14c, // 10^-54
    0x9e74d1b7_91e07e48_775ea265, // 10^-27
    0x80000000_00000000_00000000, // 10^0
    0xcecb8f27_f4200f3a_00000000, // 10^27
    0xa70c3c40_a64e6c51_999090b6, // 10^54
    0x86f0ac99_b4e8dafd_69a028bb, // 10^81
    0xda01ee64_1a708de9_e80e6f48, // 10^108
    0xb01ae745_b101e9e4_5ec05dd0, // 10^135
    0x8e41ade9_fbebc27d_14588f14, // 10^162
    0xe5d3ef28_2a242e81_8f1668c9, // 10^189
    0xb9a74a06_37ce2ee1_6d953e2c, // 10^216
    0x95f83d0a_1fb69cd9_4abdaf10, // 10^243
    0xf24a01a7_3cf2dccf_bc633b39, // 10^270
    0xc3b83581_09e84f07_0a862f81, // 10^297
    0x9e19db92_b4e31ba9_6c07a2c2, // 10^324
];
const STEP: i32 = 27;
const MIDDLE: i32 = 13;

/// SQLite has this value in addition to its table.
const TENTH: u128 = 0xcccccccc_cccccccc_cccccccc;

/// Returns the first 96 bits of 10^`exponent`, which is between -351 and 350.
pub(super) fn power_of_ten(exponent: i32) -> u128 {
    if exponent == -1 {
        return TENTH;
    }
    let (group, rest) = (exponent.div_euclid(STEP), exponent.rem_euclid(STEP));
    let five = 5_u64.pow(rest as u32);
    let small = u128::from(five << five.leading_zeros());
    let scale = SCALES[(group + MIDDLE) as usize];
    match (group, rest) {
        (0, _) => small << 32,
        (_, 0) => scale,
        _ => {
            let (high, low) = (scale >> 32, scale & 0xffff_ffff);
            let product = (high * small + ((low * small) >> 32)) >> 32;
            if product >> 95 == 0 { product << 1 | 1 } else { product }
        }
    }
}

/// Returns the exponent of the greatest power of two that is not above 10^`exponent`.
pub(super) fn floor_log2_of_power_of_ten(exponent: i32) -> i32 {
    (exponent * 108_853) >> 15
}

/// Returns the exponent of the greatest power of ten that is not above 2^`exponent`.
pub(super) fn floor_log10_of_power_of_two(exponent: i32) -> i32 {
    (exponent * 78_913) >> 18
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_right_to_nine_digits_or_more() {
        for exponent in -340..340 {
            let bits = power_of_ten(exponent);
            assert_eq!(bits >> 95, 1, "{exponent}");
            let log = (bits as f64).log2() - 95.0 + f64::from(floor_log2_of_power_of_ten(exponent));
            assert!((log - f64::from(exponent) * 10_f64.log2()).abs() < 1e-9, "{exponent}");
        }
    }
}
