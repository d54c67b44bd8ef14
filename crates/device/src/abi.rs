//! The WebAssembly exports: bytes in, bytes out.
//!
//! The page asks for memory, writes its bytes, calls, reads the answer and frees both. An answer is
//! a `u64`: address in the upper half, length in the lower. In a browser there is one thread, and
//! addresses have 32 bits; elsewhere the exports compile, and answer 0 where an address is longer.
//!
//! The page is our own and served with a strict content policy; the promises below are made by
//! `js/device.js`, the only caller.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc};
use std::cell::RefCell;

use crate::desk::Desk;
use crate::scan;

thread_local! {
    static DESK: RefCell<Desk> = RefCell::default();
}

/// Gives `len` bytes of memory, or null when there is none. Free it with [`haetae_free`].
#[unsafe(no_mangle)]
pub extern "C" fn haetae_alloc(len: usize) -> *mut u8 {
    match Layout::array::<u8>(len.max(1)) {
        // SAFETY: the layout is never of size zero.
        Ok(layout) => unsafe { alloc(layout) },
        Err(_) => std::ptr::null_mut(),
    }
}

/// Takes memory back.
///
/// # Safety
/// `ptr` and `len` are what [`haetae_alloc`] was asked for and gave, or the halves of an answer,
/// and are not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn haetae_free(ptr: *mut u8, len: usize) {
    if let (false, Ok(layout)) = (ptr.is_null(), Layout::array::<u8>(len.max(1))) {
        // SAFETY: the caller's promise: this pointer came from `alloc` with the same layout.
        unsafe { dealloc(ptr, layout) }
    }
}

/// Answers one JSON request of `len` bytes at `ptr`; see [`crate::desk`].
///
/// # Safety
/// `ptr` came from [`haetae_alloc`] with at least `len` bytes, all of them written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn haetae_call(ptr: *const u8, len: usize) -> u64 {
    // SAFETY: the caller's promise.
    let request = unsafe { bytes(ptr, len) };
    DESK.with_borrow_mut(|desk| hand_over(&desk.answer(request)))
}

/// Reads the QR codes in `width` times `height` grey bytes at `ptr`; the answer is a JSON array of
/// texts.
///
/// # Safety
/// `ptr` came from [`haetae_alloc`] with at least `width * height` bytes, all of them written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn haetae_scan(ptr: *const u8, width: usize, height: usize) -> u64 {
    // A product that overflows has no memory behind it.
    let len = width.checked_mul(height).unwrap_or(0);
    // SAFETY: the caller's promise.
    let luma = unsafe { bytes(ptr, len) };
    let texts = scan::texts(luma, width, height);
    hand_over(&serde_json::to_vec(&texts).unwrap_or_else(|_| b"[]".to_vec()))
}

/// # Safety
/// `ptr` is null or points to at least `len` written bytes that nobody changes meanwhile.
unsafe fn bytes<'a>(ptr: *const u8, len: usize) -> &'a [u8] {
    if ptr.is_null() || isize::try_from(len).is_err() {
        return &[];
    }
    // SAFETY: not null, not longer than isize::MAX; the rest is the caller's promise.
    unsafe { std::slice::from_raw_parts(ptr, len) }
}

/// Copies an answer into memory of its own; 0 when there is none.
fn hand_over(answer: &[u8]) -> u64 {
    let ptr = haetae_alloc(answer.len());
    let (Ok(address), Ok(len)) = (u32::try_from(ptr.addr()), u32::try_from(answer.len())) else {
        // SAFETY: just allocated with this length, and nobody else knows of it.
        unsafe { haetae_free(ptr, answer.len()) };
        return 0;
    };
    if !ptr.is_null() {
        // SAFETY: `ptr` has room for `answer.len()` bytes and is new, so the two do not overlap.
        unsafe { std::ptr::copy_nonoverlapping(answer.as_ptr(), ptr, answer.len()) };
    }
    u64::from(address) << 32 | u64::from(len)
}
