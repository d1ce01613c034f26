//! The one place of `base` and `flow` for what safe Rust cannot say: a hint to the processor.

/// Asks the processor to bring the cache line of `items[index]` closer, and goes on at once. Nothing happens if there
/// is no such item, or on a processor without such a hint.
#[inline(always)]
pub fn prefetch<T>(items: &[T], index: usize) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    if let Some(item) = items.get(index) {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: the instruction needs SSE, which every x86-64 processor has. It reads nothing as far as the program
        // can tell and does not fault on any address; this one is even that of a live item.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(core::ptr::from_ref(item).cast()) }
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = (items, index);
}
