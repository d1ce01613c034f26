//! A bit of each of 128, 256 or 512 replicas, and sums of such bits by full adders.

use std::arch::x86_64::*;

/// A bit of each replica. Its functions are to be called where its instructions are compiled for, alone: AVX-512 F and VL, or AVX2.
pub(super) trait Plane: Copy {
    /// How many words it has.
    const WORDS: usize;
    /// Zeros.
    unsafe fn zero() -> Self;
    /// From this many words.
    unsafe fn load(from: *const u64) -> Self;
    /// Into this many words.
    unsafe fn store(self, to: *mut u64);
    /// Which are in both.
    unsafe fn and(self, other: Self) -> Self;
    /// Which are in one of them.
    unsafe fn xor(self, other: Self) -> Self;
    /// The sum's bit of a full adder.
    unsafe fn sum(self, a: Self, b: Self) -> Self;
    /// Its carry.
    unsafe fn carry(self, a: Self, b: Self) -> Self;
}

macro_rules! plane {
    ($vector:ty, $words:literal, $zero:ident, $load:ident, $store:ident, $and:ident, $xor:ident, $ternary:ident) => {
        impl Plane for $vector {
            const WORDS: usize = $words;
            #[inline(always)]
            unsafe fn zero() -> Self {
                // SAFETY: called where its instructions are compiled for.
                unsafe { $zero() }
            }
            #[inline(always)]
            unsafe fn load(from: *const u64) -> Self {
                // SAFETY: so many words are there.
                unsafe { $load(from.cast()) }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut u64) {
                // SAFETY: so many words are there.
                unsafe { $store(to.cast(), self) }
            }
            #[inline(always)]
            unsafe fn and(self, other: Self) -> Self {
                // SAFETY: called where its instructions are compiled for.
                unsafe { $and(self, other) }
            }
            #[inline(always)]
            unsafe fn xor(self, other: Self) -> Self {
                // SAFETY: called where its instructions are compiled for.
                unsafe { $xor(self, other) }
            }
            #[inline(always)]
            unsafe fn sum(self, a: Self, b: Self) -> Self {
                // SAFETY: called where its instructions are compiled for.
                unsafe { $ternary::<0x96>(self, a, b) }
            }
            #[inline(always)]
            unsafe fn carry(self, a: Self, b: Self) -> Self {
                // SAFETY: called where its instructions are compiled for.
                unsafe { $ternary::<0xe8>(self, a, b) }
            }
        }
    };
}

plane!(
    __m128i,
    2,
    _mm_setzero_si128,
    _mm_loadu_si128,
    _mm_storeu_si128,
    _mm_and_si128,
    _mm_xor_si128,
    _mm_ternarylogic_epi64
);
plane!(
    __m256i,
    4,
    _mm256_setzero_si256,
    _mm256_loadu_si256,
    _mm256_storeu_si256,
    _mm256_and_si256,
    _mm256_xor_si256,
    _mm256_ternarylogic_epi64
);
plane!(
    __m512i,
    8,
    _mm512_setzero_si512,
    _mm512_loadu_si512,
    _mm512_storeu_si512,
    _mm512_and_si512,
    _mm512_xor_si512,
    _mm512_ternarylogic_epi64
);

/// 256 replicas where there is no instruction of three operands.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Avx2(__m256i);

impl Plane for Avx2 {
    const WORDS: usize = 4;
    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: called where AVX2 is compiled for.
        Avx2(unsafe { _mm256_setzero_si256() })
    }
    #[inline(always)]
    unsafe fn load(from: *const u64) -> Self {
        // SAFETY: so many words are there.
        Avx2(unsafe { _mm256_loadu_si256(from.cast()) })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut u64) {
        // SAFETY: so many words are there.
        unsafe { _mm256_storeu_si256(to.cast(), self.0) }
    }
    #[inline(always)]
    unsafe fn and(self, other: Self) -> Self {
        // SAFETY: called where AVX2 is compiled for.
        Avx2(unsafe { _mm256_and_si256(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn xor(self, other: Self) -> Self {
        // SAFETY: called where AVX2 is compiled for.
        Avx2(unsafe { _mm256_xor_si256(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn sum(self, a: Self, b: Self) -> Self {
        // SAFETY: called where AVX2 is compiled for.
        unsafe { self.xor(a).xor(b) }
    }
    #[inline(always)]
    unsafe fn carry(self, a: Self, b: Self) -> Self {
        // SAFETY: called where AVX2 is compiled for.
        Avx2(unsafe {
            let unlike = _mm256_xor_si256(a.0, b.0);
            _mm256_or_si256(_mm256_and_si256(a.0, b.0), _mm256_and_si256(unlike, self.0))
        })
    }
}

/// Adds two to a sum; what is carried.
#[inline(always)]
unsafe fn adder<P: Plane>(sum: &mut P, a: P, b: P) -> P {
    // SAFETY: called where its instructions are compiled for.
    unsafe {
        let carry = sum.carry(a, b);
        *sum = sum.sum(a, b);
        carry
    }
}

/// Adds one to the planes from this one on.
#[inline(always)]
unsafe fn ripple<P: Plane, const B: usize>(planes: &mut [P; B], from: usize, mut carry: P) {
    let mut at = from;
    while at < B {
        // SAFETY: called where its instructions are compiled for.
        unsafe {
            let both = planes[at].and(carry);
            planes[at] = planes[at].xor(carry);
            carry = both;
        }
        at += 1;
    }
}

/// Where the words of a place begin, as a list has it.
pub(super) trait Place: Copy {
    /// It, from where it is kept. Read as what may change at any time: a compiler that reads many at once takes them apart again on the very
    /// unit that the full adders need.
    ///
    /// # Safety
    /// It is kept there.
    unsafe fn read(from: *const Self) -> usize;
}

macro_rules! place {
    ($number:ty) => {
        impl Place for $number {
            #[inline(always)]
            unsafe fn read(from: *const Self) -> usize {
                // SAFETY: as of the trait.
                unsafe { from.read_volatile() as usize }
            }
        }
    };
}

place!(u16);
place!(u32);

/// Adds two places to the planes; what is carried to the second.
#[inline(always)]
unsafe fn two<P: Plane, I: Place, const B: usize, const U: bool>(
    p: &mut [P; B],
    spins: *const u64,
    own: P,
    list: &[I; 2],
) -> P {
    // SAFETY: as of `count`.
    unsafe {
        let (a, b) = (one::<P, I, U>(spins, own, &list[0]), one::<P, I, U>(spins, own, &list[1]));
        adder(&mut p[0], a, b)
    }
}

/// The bits of a place; or those that aren't its own, if `U`.
#[inline(always)]
unsafe fn one<P: Plane, I: Place, const U: bool>(spins: *const u64, own: P, place: &I) -> P {
    // SAFETY: as of `count`.
    unsafe {
        let bits = P::load(spins.add(I::read(place)));
        if U { bits.xor(own) } else { bits }
    }
}

/// Adds twice as many; what is carried to the plane behind.
macro_rules! twice {
    ($name:ident, $half:ident, $places:literal, $plane:literal) => {
        #[inline(always)]
        unsafe fn $name<P: Plane, I: Place, const B: usize, const U: bool>(
            p: &mut [P; B],
            spins: *const u64,
            own: P,
            list: &[I; $places],
        ) -> P {
            let (left, right) = list.split_at($places / 2);
            let [Some(left), Some(right)] = [left.first_chunk(), right.first_chunk()] else { unreachable!() };
            // SAFETY: as of `count`.
            unsafe {
                let left = $half::<P, I, B, U>(p, spins, own, left);
                let right = $half::<P, I, B, U>(p, spins, own, right);
                adder(&mut p[$plane], left, right)
            }
        }
    };
}

twice!(four, two, 4, 1);
twice!(eight, four, 8, 2);
twice!(sixteen, eight, 16, 3);
twice!(thirty_two, sixteen, 32, 4);

/// How many of the listed places have their bit set, for each replica: the bits of that number. `B` planes have to hold it.
///
/// # Safety
/// `spins` has `P::WORDS` words from where every place of the list begins; the plane's instructions are compiled for.
#[inline(always)]
pub(super) unsafe fn count<P: Plane, I: Place, const B: usize>(spins: *const u64, list: &[I]) -> [P; B] {
    // SAFETY: as of this function.
    unsafe { counted::<P, I, B, false>(spins, P::zero(), list) }
}

/// How many of them have it set otherwise than here.
///
/// # Safety
/// As of [`count`].
#[inline(always)]
pub(super) unsafe fn count_unlike<P: Plane, I: Place, const B: usize>(spins: *const u64, own: P, list: &[I]) -> [P; B] {
    // SAFETY: as of this function.
    unsafe { counted::<P, I, B, true>(spins, own, list) }
}

/// Adds the numbers whose bits are in a few planes to those whose bits are in many.
///
/// # Safety
/// the plane's instructions are compiled for.
#[inline(always)]
pub(super) unsafe fn add_up<P: Plane, const M: usize, const B: usize>(sums: &mut [P; M], numbers: &[P; B]) {
    // SAFETY: as of this function.
    unsafe {
        let mut carry = P::zero();
        for (sum, bit) in sums.iter_mut().zip(numbers) {
            carry = adder(sum, *bit, carry);
        }
        ripple(sums, B, carry);
    }
}

#[inline(always)]
unsafe fn counted<P: Plane, I: Place, const B: usize, const U: bool>(spins: *const u64, own: P, list: &[I]) -> [P; B] {
    // SAFETY: as of `count`.
    unsafe {
        let mut p = [P::zero(); B];
        let mut rest = list;
        if B > 5 {
            while let Some((places, behind)) = rest.split_first_chunk() {
                let carry = thirty_two::<P, I, B, U>(&mut p, spins, own, places);
                ripple(&mut p, 5, carry);
                rest = behind;
            }
        }
        if B > 3 {
            while let Some((places, behind)) = rest.split_first_chunk() {
                let carry = eight::<P, I, B, U>(&mut p, spins, own, places);
                ripple(&mut p, 3, carry);
                rest = behind;
            }
        }
        if let Some((places, behind)) = rest.split_first_chunk() {
            let carry = four::<P, I, B, U>(&mut p, spins, own, places);
            ripple(&mut p, 2, carry);
            rest = behind;
        }
        if let Some((places, behind)) = rest.split_first_chunk() {
            let carry = two::<P, I, B, U>(&mut p, spins, own, places);
            ripple(&mut p, 1, carry);
            rest = behind;
        }
        if let [last] = rest {
            ripple(&mut p, 0, one::<P, I, U>(spins, own, last));
        }
        p
    }
}
