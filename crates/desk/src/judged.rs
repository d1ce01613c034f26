//! What a suite found out about a device, as text and as JSON.

use crate::layout::sentence;
use crate::replay::group;
use crate::{output, paint};
use anyhow::Result;
use firelane_kernels::suite::{Report, Verdict};
use serde::Serialize;
use std::process::ExitCode;

/// `spikes conformance --json` and `ising conformance --json`. The layout is stable: fields are added, never renamed or removed.
#[derive(Debug, Serialize)]
struct Judged<'a> {
    device: &'a str,
    conforms: bool,
    updates: u64,
    cases: Vec<Case<'a>>,
}

#[derive(Debug, Serialize)]
struct Case<'a> {
    name: &'a str,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

/// Prints it; `updates` is what was counted. The exit code says whether the device conforms.
pub(crate) fn report(report: &Report, updates: &str, json: bool) -> Result<ExitCode> {
    let judged = judged(report);
    if json {
        output::json(&judged)?;
    } else {
        print(&judged, updates);
    }
    Ok(ExitCode::from(u8::from(!judged.conforms)))
}

fn judged(report: &Report) -> Judged<'_> {
    let cases = report.cases.iter().map(|case| {
        let (verdict, why) = match &case.verdict {
            Verdict::Passed => ("passed", None),
            Verdict::Skipped(why) => ("skipped", Some(why.as_str())),
            Verdict::Failed(why) => ("failed", Some(why.as_str())),
        };
        Case { name: &case.name, verdict, why }
    });
    let cases = cases.collect();
    Judged { device: &report.device, conforms: report.conforms(), updates: report.updates, cases }
}

fn print(judged: &Judged<'_>, of: &str) {
    for case in &judged.cases {
        let verdict = match case.verdict {
            "failed" => paint::bad("failed "),
            "skipped" => paint::amber("skipped"),
            passed => passed.to_owned(),
        };
        let why = case.why.map(|why| format!(": {why}")).unwrap_or_default();
        say!("{}", sentence(&format!("  {verdict} {}{why}", case.name), 10));
    }
    let count = |verdict| judged.cases.iter().filter(|case| case.verdict == verdict).count();
    let (passed, skipped, failed) = (count("passed"), count("skipped"), count("failed"));
    let end = if judged.conforms { "it conforms" } else { "it does not conform" };
    let updates = group(judged.updates);
    say!(
        "{}",
        sentence(
            &format!(
                "{}: {end}; {passed} passed, {skipped} skipped, {failed} failed; {updates} {of} compared.",
                judged.device
            ),
            2
        )
    );
}
