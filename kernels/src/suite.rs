//! What a suite that judges devices reports, of whatever kind they are.

/// One thing that a device was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What.
    pub name: String,
    /// How it came out.
    pub verdict: Verdict,
}

/// How a case came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it must.
    Passed,
    /// The device says that it can't do this.
    Skipped(String),
    /// Not as it must, and where.
    Failed(String),
}

/// All that a device was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What the device is called.
    pub device: String,
    /// Each case.
    pub cases: Vec<Case>,
    /// Neurons, or spins, that were updated in random problems, or scenarios that were valued, and compared.
    pub updates: u64,
}

impl Report {
    /// Nothing failed, and not everything was skipped.
    #[must_use]
    pub fn conforms(&self) -> bool {
        let any = |wanted: fn(&Verdict) -> bool| self.cases.iter().any(|case| wanted(&case.verdict));
        any(|verdict| *verdict == Verdict::Passed) && !any(|verdict| matches!(verdict, Verdict::Failed(_)))
    }

    pub(crate) fn case(&mut self, name: impl Into<String>, verdict: Result<(), Failure>) {
        let verdict = match verdict {
            Ok(()) => Verdict::Passed,
            Err(Failure::Unable(text)) => Verdict::Skipped(text),
            Err(Failure::Wrong(text)) => Verdict::Failed(text),
        };
        self.cases.push(Case { name: name.into(), verdict });
    }
}

/// Why a case did not pass.
pub(crate) enum Failure {
    /// The device said that it can't hold or do this.
    Unable(String),
    Wrong(String),
}
