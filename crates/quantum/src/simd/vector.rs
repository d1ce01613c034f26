//! The kernels, written once over the vectors of a path: what is in `avx2.rs` and `avx512.rs` is the few instructions they
//! differ in.
//!
//! What does not fill a vector is left to the specification.

/// The kernels of a path, for a module that has `V`, `LANES`, `LANE_BITS`, `ROWS` and the functions on vectors.
macro_rules! kernels {
    ($feature:literal) => {
        use super::{General, Half, scalar};

        /// Both halves as whole vectors and what is left of them.
        macro_rules! whole {
            ($half:ident) => {{
                let (re, re_rest) = $half.re.as_chunks_mut::<LANES>();
                let (im, im_rest) = $half.im.as_chunks_mut::<LANES>();
                (re, im, Half { re: re_rest, im: im_rest })
            }};
        }

        /// The two amplitudes of a turn around X, as scalar.rs has it.
        #[inline]
        #[target_feature(enable = $feature)]
        fn turned(c: V, s: V, (re0, im0): (V, V), (re1, im1): (V, V)) -> ((V, V), (V, V)) {
            let zero = (add(mul(c, re0), mul(s, im1)), sub(mul(c, im0), mul(s, re1)));
            let one = (add(mul(c, re1), mul(s, im0)), sub(mul(c, im1), mul(s, re0)));
            (zero, one)
        }

        #[target_feature(enable = $feature)]
        pub(super) fn turn(c: f64, s: f64, zero: &mut Half<'_>, one: &mut Half<'_>) {
            let (re0, im0, mut rest0) = whole!(zero);
            let (re1, im1, mut rest1) = whole!(one);
            let (vc, vs) = (splat(c), splat(s));
            for (((re0, im0), re1), im1) in re0.iter_mut().zip(im0).zip(re1).zip(im1) {
                let (new0, new1) = turned(vc, vs, (load(re0), load(im0)), (load(re1), load(im1)));
                store(new0.0, re0);
                store(new0.1, im0);
                store(new1.0, re1);
                store(new1.1, im1);
            }
            scalar::turn(c, s, &mut rest0, &mut rest1);
        }

        #[target_feature(enable = $feature)]
        pub(super) fn real(m: [f64; 4], zero: &mut Half<'_>, one: &mut Half<'_>) {
            let (re0, im0, mut rest0) = whole!(zero);
            let (re1, im1, mut rest1) = whole!(one);
            let (a, b, c, d) = (splat(m[0]), splat(m[1]), splat(m[2]), splat(m[3]));
            for (zeros, ones) in [(re0, re1), (im0, im1)] {
                for (zero, one) in zeros.iter_mut().zip(ones) {
                    let (was0, was1) = (load(zero), load(one));
                    store(add(mul(a, was0), mul(b, was1)), zero);
                    store(add(mul(c, was0), mul(d, was1)), one);
                }
            }
            scalar::real(m, &mut rest0, &mut rest1);
        }

        #[target_feature(enable = $feature)]
        pub(super) fn general(m: &General, zero: &mut Half<'_>, one: &mut Half<'_>) {
            let (re0, im0, mut rest0) = whole!(zero);
            let (re1, im1, mut rest1) = whole!(one);
            let (mr, mi) = (m.re.map(|x| splat(x)), m.im.map(|x| splat(x)));
            for (((re0, im0), re1), im1) in re0.iter_mut().zip(im0).zip(re1).zip(im1) {
                let (a, b, c, d) = (load(re0), load(im0), load(re1), load(im1));
                for (k, re, im) in [(0, re0, im0), (2, re1, im1)] {
                    let left = (sub(mul(mr[k], a), mul(mi[k], b)), add(mul(mr[k], b), mul(mi[k], a)));
                    let (nr, ni) = (mr[k + 1], mi[k + 1]);
                    let right = (sub(mul(nr, c), mul(ni, d)), add(mul(nr, d), mul(ni, c)));
                    store(add(left.0, right.0), re);
                    store(add(left.1, right.1), im);
                }
            }
            scalar::general(m, &mut rest0, &mut rest1);
        }

        #[target_feature(enable = $feature)]
        pub(super) fn phase(re: f64, im: f64, half: &mut Half<'_>) {
            let (a, b, mut rest) = whole!(half);
            let (vr, vi) = (splat(re), splat(im));
            for (a, b) in a.iter_mut().zip(b) {
                let (was_a, was_b) = (load(a), load(b));
                store(sub(mul(vr, was_a), mul(vi, was_b)), a);
                store(add(mul(vr, was_b), mul(vi, was_a)), b);
            }
            scalar::phase(re, im, &mut rest);
        }

        #[target_feature(enable = $feature)]
        pub(super) fn phases(index: &[u16], table_re: &[f64], table_im: &[f64], half: &mut Half<'_>) {
            let (index, last) = index.as_chunks::<LANES>();
            let (a, b, mut rest) = whole!(half);
            for ((a, b), index) in a.iter_mut().zip(b).zip(index) {
                // Tables are small and stay in the first cache: two plain loads a lane beat a gather.
                let vr = load(&index.map(|i| table_re[usize::from(i)]));
                let vi = load(&index.map(|i| table_im[usize::from(i)]));
                let (was_a, was_b) = (load(a), load(b));
                store(sub(mul(vr, was_a), mul(vi, was_b)), a);
                store(add(mul(vr, was_b), mul(vi, was_a)), b);
            }
            scalar::phases(last, table_re, table_im, &mut rest);
        }

        #[target_feature(enable = $feature)]
        pub(super) fn turns(c: f64, s: f64, first: usize, count: usize, half: &mut Half<'_>) {
            let end = first + count;
            let mut qubit = first;
            if first == 0 && end >= LANE_BITS {
                within(c, s, half);
                qubit = LANE_BITS;
            } else if first < LANE_BITS {
                qubit = end.min(LANE_BITS);
                scalar::turns(c, s, first, qubit - first, half);
            }
            while qubit < end {
                let together = (end - qubit).min(ROWS.ilog2() as usize);
                let run = 1 << qubit;
                let blocks = half.re.chunks_exact_mut(run << together).zip(half.im.chunks_exact_mut(run << together));
                for (re, im) in blocks {
                    let mut block = Half { re, im };
                    match together {
                        1 => rows::<2>(c, s, run, &mut block),
                        2 => rows::<4>(c, s, run, &mut block),
                        _ => rows::<ROWS>(c, s, run, &mut block),
                    }
                }
                qubit += together;
            }
        }

        /// The turns of all qubits that lie within a vector.
        #[target_feature(enable = $feature)]
        fn within(c: f64, s: f64, half: &mut Half<'_>) {
            let (re, im, _) = whole!(half);
            let (vc, vs) = (splat(c), splat(s));
            for (re, im) in re.iter_mut().zip(im) {
                let (mut a, mut b) = (load(re), load(im));
                for flip in FLIPS {
                    let (other_a, other_b) = (flipped(a, flip), flipped(b, flip));
                    (a, b) = (add(mul(vc, a), mul(vs, other_b)), sub(mul(vc, b), mul(vs, other_a)));
                }
                store(a, re);
                store(b, im);
            }
        }

        /// The turns of neighbouring qubits at once: `N` vectors that differ in them stay in registers. `block` is `N` rows of `run`.
        #[inline]
        #[target_feature(enable = $feature)]
        fn rows<const N: usize>(c: f64, s: f64, run: usize, block: &mut Half<'_>) {
            let (vc, vs) = (splat(c), splat(s));
            let (re, im, _) = whole!(block);
            let step = run / LANES;
            for at in 0..step {
                let mut a = [splat(0.0); N];
                let mut b = [splat(0.0); N];
                for row in 0..N {
                    (a[row], b[row]) = (load(&re[row * step + at]), load(&im[row * step + at]));
                }
                let mut apart = 1;
                while apart < N {
                    for low in 0..N {
                        if low & apart == 0 {
                            let high = low | apart;
                            let (zero, one) = turned(vc, vs, (a[low], b[low]), (a[high], b[high]));
                            (a[low], b[low]) = zero;
                            (a[high], b[high]) = one;
                        }
                    }
                    apart *= 2;
                }
                for row in 0..N {
                    store(a[row], &mut re[row * step + at]);
                    store(b[row], &mut im[row * step + at]);
                }
            }
        }
    };
}
