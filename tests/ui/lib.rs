//! What must not compile. A package of its own: trybuild builds whatever its package depends on once more, and here that is the
//! lane without the shell.

#[cfg(test)]
mod tests {
    #[test]
    fn an_approval_can_not_be_forged() {
        let cases = trybuild::TestCases::new();
        cases.compile_fail("forged_approval.rs");
        cases.pass("genuine_approval.rs");
    }
}
