//! The software twin: a network, checked and loaded, that runs many steps in one call.

use crate::network::{self, ConnectionKeys, PopulationKeys, wrong};
use firelane_gateway::base::{Reader, State, Writer};
use firelane_kernels::spikes::golden::{Golden, document};
use firelane_kernels::spikes::learning::learnt;
use firelane_kernels::spikes::{Device, Fault, Network, Path, Program, Rules, Software, Spike, Variable};
use numpy::ndarray::Array2;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// What is written down after each step.
#[derive(Clone, Copy)]
enum What {
    State(Variable),
    Spikes,
}

/// A network in the software twin.
#[pyclass(module = "firelane._firelane")]
pub(crate) struct Twin {
    network: Network,
    program: Program,
    device: Software,
    out: Vec<Spike>,
    /// How many of `out` were fired in the last step.
    fired: usize,
}

/// The events of some steps: where those of each step end.
struct Events {
    all: Vec<Spike>,
    ends: Vec<usize>,
}

#[pymethods]
impl Twin {
    /// A network of inputs `(id, n)`, populations and connections (dictionaries).
    #[new]
    #[pyo3(signature = (inputs, populations, connections, schedule="lava", overflow="wrap", device="software", name="network"))]
    fn new(
        inputs: Vec<(String, usize)>,
        populations: Vec<PopulationKeys>,
        connections: Vec<ConnectionKeys<'_>>,
        schedule: &str,
        overflow: &str,
        device: &str,
        name: &str,
    ) -> PyResult<Self> {
        let rules = network::rules(schedule, overflow)?;
        let network = network::network(name, inputs, populations, &connections)?;
        Self::load(network, &rules, device)
    }

    /// The network of a JSON file as `firelane spikes run` takes it.
    #[staticmethod]
    #[pyo3(signature = (text, schedule="cascade", overflow="forbidden", device="software"))]
    fn from_json(text: &str, schedule: &str, overflow: &str, device: &str) -> PyResult<Self> {
        let rules = network::rules(schedule, overflow)?;
        let golden = Golden::parse(text).map_err(wrong)?;
        Self::load(golden.network().clone(), &rules, device)
    }

    /// Other numbers for the same nodes: what is under way stays under way. On an error nothing has changed.
    fn change(
        &mut self,
        inputs: Vec<(String, usize)>,
        populations: Vec<PopulationKeys>,
        connections: Vec<ConnectionKeys<'_>>,
    ) -> PyResult<()> {
        (self.network, self.program, self.device) = self.changed(inputs, populations, &connections)?;
        Ok(())
    }

    /// Could it be changed to that? An error if not; nothing is changed.
    fn check_change(
        &self,
        inputs: Vec<(String, usize)>,
        populations: Vec<PopulationKeys>,
        connections: Vec<ConnectionKeys<'_>>,
    ) -> PyResult<()> {
        self.changed(inputs, populations, &connections).map(drop)
    }

    /// `steps` steps. `inputs` has an array of int32 `(steps, n)` for each input, `record` says what is wanted: "u", "v" or "s" of
    /// which population. Returns an array `(steps, n)` of int32 for each of `record`.
    fn run<'py>(
        &mut self,
        py: Python<'py>,
        steps: usize,
        inputs: Vec<PyReadonlyArray2<'py, i32>>,
        record: Vec<(String, usize)>,
    ) -> PyResult<Vec<Bound<'py, PyArray2<i32>>>> {
        let record = record.iter().map(|(what, at)| self.wanted(what, *at)).collect::<PyResult<Vec<_>>>()?;
        let events = self.events(steps, &inputs)?;
        let rows = py.detach(|| self.steps(&events, &record));
        let rows = rows.map_err(|(step, fault)| wrong(format!("step {step}: {}", self.said(&fault))))?;
        let tables = rows.into_iter().zip(&record);
        tables.map(|(row, &(_, _, n))| table(py, row, n)).collect()
    }

    /// The currents ("u") or voltages ("v") of a population, after the last step.
    fn probe<'py>(&self, py: Python<'py>, variable: &str, population: usize) -> PyResult<Bound<'py, PyArray1<i32>>> {
        let (variable, n) = self.variable(variable, population)?;
        let mut all = vec![0; n];
        self.device.probe_all(variable, population, &mut all).map_err(wrong)?;
        Ok(all.into_pyarray(py))
    }

    /// The spikes of a population in the last step.
    fn fired<'py>(&self, py: Python<'py>, population: usize) -> PyResult<Bound<'py, PyArray1<i32>>> {
        let mut row = vec![0; self.population(population)?];
        self.spikes(population, &mut row);
        Ok(row.into_pyarray(py))
    }

    /// Sets them, for the next step. On an error nothing has changed.
    fn poke(&mut self, variable: &str, population: usize, values: PyReadonlyArray1<'_, i64>) -> PyResult<()> {
        let (which, n) = self.variable(variable, population)?;
        let values = values.as_array();
        let cells = &self.program.cells()[population];
        if values.len() != n {
            return Err(wrong(format!("{}: {variable} has {n} values, not {}", cells.id, values.len())));
        }
        let mut before = vec![0; n];
        self.device.probe_all(which, population, &mut before).map_err(wrong)?;
        for (unit, &value) in values.iter().enumerate() {
            let narrow = i32::try_from(value).unwrap_or(i32::MAX);
            if self.device.poke(which, population, unit, narrow).is_err() {
                for (unit, &value) in before.iter().enumerate() {
                    self.device.poke(which, population, unit, value).map_err(wrong)?;
                }
                let id = &cells.id;
                return Err(wrong(format!("{id}: {variable}[{unit}] can't be {value}; it has 24 bits with sign")));
            }
        }
        Ok(())
    }

    /// The weights of a connection that act: clipped, and cut to their bits.
    fn weights<'py>(&self, py: Python<'py>, connection: usize) -> PyResult<Bound<'py, PyArray2<i32>>> {
        let lost = || wrong(format!("there is no connection number {connection}"));
        let one = self.program.synapses().get(connection).ok_or_else(lost)?;
        table(py, one.weights.iter().map(|&weight| weight.into()).collect(), one.fan_in)
    }

    /// The file of the network, with the weights that it has learnt.
    fn learnt(&self) -> PyResult<String> {
        Ok(document(&learnt(&self.network, &self.device).map_err(wrong)?).to_string())
    }

    /// Back to before the first step.
    fn restart(&mut self) -> PyResult<()> {
        self.fired = 0;
        self.device.restart().map_err(wrong)
    }

    /// What has been counted since then.
    fn counters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counters = self.device.counters();
        let counts = PyDict::new(py);
        counts.set_item("steps", counters.steps)?;
        counts.set_item("events", counters.events)?;
        counts.set_item("spikes", counters.spikes)?;
        counts.set_item("synaptic_operations", counters.synaptic_operations)?;
        counts.set_item("overflows", counters.overflows)?;
        Ok(counts)
    }

    /// Of each population, how many of its currents wrapped.
    fn overflows(&self) -> PyResult<Vec<(String, u64)>> {
        let cells = self.program.cells().iter().enumerate();
        cells.map(|(at, cells)| Ok((cells.id.clone(), self.device.overflows(at).map_err(wrong)?))).collect()
    }

    /// Inputs and their units.
    #[getter]
    fn inputs(&self) -> Vec<(String, usize)> {
        self.program.inputs().to_vec()
    }

    /// Populations and their neurons.
    #[getter]
    fn populations(&self) -> Vec<(String, usize)> {
        self.program.cells().iter().map(|cells| (cells.id.clone(), cells.n)).collect()
    }

    /// Where it runs: "software/avx2".
    #[getter]
    fn device(&self) -> String {
        self.device.capabilities().name
    }
}

impl Twin {
    fn load(network: Network, rules: &Rules, device: &str) -> PyResult<Self> {
        let program = Program::check(&network, rules).map_err(wrong)?;
        let mut device = software(device)?;
        Device::load(&mut device, &program).map_err(wrong)?;
        let out = vec![Spike::default(); program.neurons()];
        Ok(Twin { network, program, device, out, fired: 0 })
    }

    /// The same nodes with other numbers, and what is under way in them.
    fn changed(
        &self,
        inputs: Vec<(String, usize)>,
        populations: Vec<PopulationKeys>,
        connections: &[ConnectionKeys<'_>],
    ) -> PyResult<(Network, Program, Software)> {
        let network = network::network(self.program.name(), inputs, populations, connections)?;
        let program = Program::check(&network, &self.program.rules()).map_err(wrong)?;
        let mut device = Software::on(self.device.path()).unwrap_or_else(Software::best);
        Device::load(&mut device, &program).map_err(wrong)?;
        let saved = Writer::of(&self.device);
        State::load(&mut device, &mut Reader(&saved)).map_err(|error| {
            wrong(format!("what is under way does not fit the network any more ({error}): the longest delay must stay"))
        })?;
        Ok((network, program, device))
    }

    fn population(&self, at: usize) -> PyResult<usize> {
        let cells = self.program.cells().get(at);
        cells.map(|cells| cells.n).ok_or_else(|| wrong(format!("there is no population number {at}")))
    }

    fn variable(&self, name: &str, population: usize) -> PyResult<(Variable, usize)> {
        match self.wanted(name, population)? {
            (What::State(variable), _, n) => Ok((variable, n)),
            _ => Err(wrong(format!("{name:?} is no state; u and v are"))),
        }
    }

    fn wanted(&self, what: &str, population: usize) -> PyResult<(What, usize, usize)> {
        let n = self.population(population)?;
        match what {
            "u" => Ok((What::State(Variable::Current), population, n)),
            "v" => Ok((What::State(Variable::Voltage), population, n)),
            "s" => Ok((What::Spikes, population, n)),
            other => Err(wrong(format!("there is no {other:?} to record; u, v and s are there"))),
        }
    }

    fn events(&self, steps: usize, inputs: &[PyReadonlyArray2<'_, i32>]) -> PyResult<Events> {
        let expected = self.program.inputs();
        if inputs.len() != expected.len() {
            return Err(wrong(format!(
                "there are values for {} inputs; the network has {}",
                inputs.len(),
                expected.len()
            )));
        }
        let arrays: Vec<_> = inputs.iter().map(PyReadonlyArray2::as_array).collect();
        for ((id, n), array) in expected.iter().zip(&arrays) {
            if array.dim() != (steps, *n) {
                let shape = array.shape();
                return Err(wrong(format!("{id}: the values have the shape {shape:?}; it must be [{steps}, {n}]")));
            }
        }
        let mut events = Events { all: Vec::new(), ends: Vec::with_capacity(steps) };
        for step in 0..steps {
            for (node, array) in arrays.iter().enumerate() {
                let values = array.row(step);
                let fired = values.iter().enumerate().filter(|(_, value)| **value != 0);
                let event = |(unit, &value)| Spike { node: node as u16, unit: unit as u16, value };
                events.all.extend(fired.map(event));
            }
            events.ends.push(events.all.len());
        }
        Ok(events)
    }

    /// What is recorded of each step, one after another; or the step (from 1 on) that was not taken, and why.
    fn steps(&mut self, events: &Events, record: &[(What, usize, usize)]) -> Result<Vec<Vec<i32>>, (u64, Fault)> {
        let mut rows: Vec<Vec<i32>> =
            record.iter().map(|(_, _, n)| Vec::with_capacity(n * events.ends.len())).collect();
        let mut begin = 0;
        for &end in &events.ends {
            let number = self.device.counters().steps + 1;
            let arrived = events.all.get(begin..end).unwrap_or_default();
            begin = end;
            self.fired = self.device.step(arrived, &mut self.out).map_err(|fault| (number, fault))?.spikes;
            for (&(what, population, n), row) in record.iter().zip(&mut rows) {
                let from = row.len();
                row.resize(from + n, 0);
                let row = row.get_mut(from..).unwrap_or_default();
                match what {
                    What::State(variable) => {
                        self.device.probe_all(variable, population, row).map_err(|fault| (number, fault))?;
                    }
                    What::Spikes => self.spikes(population, row),
                }
            }
        }
        Ok(rows)
    }

    /// What a population fired in the last step, into zeros.
    fn spikes(&self, population: usize, row: &mut [i32]) {
        for spike in self.out.iter().take(self.fired).filter(|spike| usize::from(spike.node) == population) {
            row.get_mut(usize::from(spike.unit)).into_iter().for_each(|to| *to = spike.value);
        }
    }

    /// A fault, with the names that Python knows.
    fn said(&self, fault: &Fault) -> String {
        match fault {
            Fault::Value { node, unit, value, most } => {
                let id = self.program.inputs().get(*node).map_or("?", |(id, _)| id);
                format!("{id}: unit {unit} has the value {value}; a graded spike may have {most} at most, in size")
            }
            other => other.to_string(),
        }
    }
}

/// `software`, or a path of it: `software/scalar`.
fn software(name: &str) -> PyResult<Software> {
    if name == "software" {
        return Ok(Software::best());
    }
    let path = Path::ALL.into_iter().find(|path| name == format!("software/{}", path.name()));
    let paths: Vec<String> = Software::paths().map(|path| format!("software/{}", path.name())).collect();
    path.and_then(Software::on)
        .ok_or_else(|| wrong(format!("there is no device {name:?}; here there are software, {}", paths.join(", "))))
}

fn table(py: Python<'_>, values: Vec<i32>, columns: usize) -> PyResult<Bound<'_, PyArray2<i32>>> {
    let rows = values.len() / columns.max(1);
    let array = Array2::from_shape_vec((rows, columns), values);
    Ok(array.map_err(|error| PyRuntimeError::new_err(error.to_string()))?.into_pyarray(py))
}
