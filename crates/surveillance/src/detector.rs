//! A detector's document, and what this room asks of it beside what a lane does.

use firelane_kernels::detector::file::whole;
use firelane_kernels::detector::{DetectorError, Settings};
use toml::{Table, Value};

/// The threshold of a neuron that never fires by itself: the largest that there is, a hair below the largest voltage.
const OUT_OF_REACH: i64 = 131_071;

/// What of a document says what is heard, and not what is made of it.
const HEARD: [&str; 4] = ["address", "delta", "rate", "seed"];

/// A detector, as its document says, with its network in it.
#[derive(Clone, Debug)]
pub struct Detector {
    document: Table,
    settings: Settings,
}

impl Detector {
    /// Reads a document ([`whole`] puts a network that it names into it).
    ///
    /// # Errors
    /// [`DetectorError`], naming the key that is wrong.
    pub fn parse(document: &str) -> Result<Self, DetectorError> {
        let settings = Settings::parse(document)?;
        Ok(Detector { document: document.parse()?, settings })
    }

    /// `examples/detectors/manipulation.toml`.
    ///
    /// # Errors
    /// [`DetectorError`]: never, or the program was built of a file that is none.
    pub fn shipped() -> Result<Self, DetectorError> {
        let network = include_str!("../../../examples/detectors/manipulation.json");
        Self::parse(&whole(include_str!("../../../examples/detectors/manipulation.toml"), |_| Ok(network.to_owned()))?)
    }

    /// What it goes by.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What it hears, in words: contestants that were trained on the spikes of one encoder know nothing of another one's.
    #[must_use]
    pub fn hears(&self) -> String {
        let mut heard = self.document.clone();
        heard.retain(|key, _| HEARD.contains(&key));
        // Units are counted over all inputs, in their order.
        let inputs = self.settings.program().inputs().iter().map(|(id, units)| Value::String(format!("{id} {units}")));
        heard.insert("inputs".to_owned(), Value::Array(inputs.collect()));
        heard.to_string()
    }

    /// The same with the thresholds of all populations out of reach that have alerts' neurons.
    ///
    /// # Errors
    /// [`DetectorError`]: it has a threshold below, too (TernaryLIF).
    pub(crate) fn out_of_reach(&self) -> Result<Settings, DetectorError> {
        let mut document = self.document.clone();
        let cells = self.settings.program().cells();
        let raised: Vec<&str> =
            self.settings.alerts().iter().map(|alert| cells[usize::from(alert.population)].id.as_str()).collect();
        let network = document.get("network").and_then(Value::as_str).unwrap_or_default();
        let mut network: serde_json::Value = serde_json::from_str(network).unwrap_or_default();
        let populations = network.get_mut("populations").and_then(serde_json::Value::as_array_mut);
        for population in populations.into_iter().flatten() {
            let named = population.get("id").and_then(serde_json::Value::as_str);
            if named.is_some_and(|id| raised.contains(&id)) {
                population["vth"] = OUT_OF_REACH.into();
            }
        }
        document.insert("network".to_owned(), Value::String(network.to_string()));
        Settings::parse(&document.to_string())
    }
}
