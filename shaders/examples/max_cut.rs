//! Cuts a graph on a GPU: `max_cut [adapter [file [algorithm [replicas [steps]]]]]`.
//!
//! Without a file (or with an empty name), a graph of 100 vertices. Prints the adapters, the cut, how long it took, and whether the specification says the same.

use firelane_kernels::ising::device::Device;
use firelane_kernels::ising::file;
use firelane_kernels::ising::job::{Algorithm, Answer, Job};
use firelane_kernels::ising::problem::{Pair, Problem};
use firelane_kernels::ising::twin::{Path, Software};
use firelane_shaders::{Gpu, adapters};
use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

/// A ring of 100 with two chords from each vertex: triangles, of which no cut takes all edges.
fn ring() -> Result<Problem, Box<dyn Error>> {
    let edges: Vec<Pair> =
        (0..100).flat_map(|i| [1, 2, 33].map(|far| Pair { i, j: (i + far) % 100, coupling: 1 })).collect();
    Ok(Problem::max_cut(100, &edges)?)
}

fn timed(device: &mut dyn Device, job: &Job) -> Result<(Answer, f64), Box<dyn Error>> {
    let begun = Instant::now();
    let answer = device.solve(job)?;
    Ok((answer, begun.elapsed().as_secs_f64()))
}

fn cut(arguments: &[String]) -> Result<String, Box<dyn Error>> {
    let argument = |place: usize| arguments.get(place).map(String::as_str);
    let problem = match argument(1).filter(|path| !path.is_empty()) {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
            file::read(&text, Some(file::Format::Graph))?.problem
        }
        None => ring()?,
    };
    let algorithm = argument(2).unwrap_or("dsb");
    let algorithm = Algorithm::of(algorithm).ok_or_else(|| format!("{algorithm:?}: dsb, bsb or sa"))?;
    let number = |place, otherwise: u32| argument(place).map_or(Ok(otherwise), str::parse);
    let job = Job::new(algorithm, number(4, 200)?, number(3, 64)?, 1);

    let mut said: Vec<String> = adapters().iter().map(|adapter| format!("adapter {adapter}")).collect();
    let mut gpu = Gpu::open(argument(0))?;
    let problem = Arc::new(problem);
    gpu.load(&problem)?;
    // Once to make the pipeline, and to see how fast it is.
    gpu.solve(&job)?;
    let (answer, took) = timed(&mut gpu, &job)?;
    let best = answer.best().ok_or("no answer")?;
    let mut twin = Software::on(Path::Scalar).ok_or("no specification")?;
    twin.load(&problem)?;
    let (wanted, spent) = timed(&mut twin, &job)?;
    let same = answer.replicas.iter().zip(&wanted.replicas).all(|(got, wanted)| got.spins == wanted.spins);

    said.push(format!("solved on {}", gpu.adapter()));
    let cut = problem.value(&best.spins.signs());
    said.push(format!("cut {cut} of {} vertices, {} edges", problem.sites(), problem.pairs()));
    let steps = f64::from(job.steps) * f64::from(job.replicas);
    said.push(format!("{:.3} ms, {:.1} us a step of a replica", took * 1e3, took * 1e6 / steps));
    said.push(format!("{:.1} times as long as the specification takes", took / spent));
    said.push(format!("the specification has {} spins", if same { "the same" } else { "OTHER" }));
    Ok(said.join("\n"))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match cut(&arguments) {
        Ok(said) => println!("{said}"),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

#[cfg(test)]
#[path = "../tests/adapter/mod.rs"]
mod adapter;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_cut_as_the_specification_cuts_it() {
        if adapters().is_empty() {
            return super::adapter::skip("no Vulkan adapter");
        }
        for algorithm in ["dsb", "bsb", "sa"] {
            let arguments = ["0", "", algorithm, "9", "60"].map(str::to_owned);
            let said = cut(&arguments).unwrap();
            assert!(said.contains("solved on 0: ") && said.contains("of 100 vertices, 300 edges"), "{said}");
            assert!(said.ends_with("the specification has the same spins"), "{said}");
        }
        assert!(cut(&["0", "", "tabu"].map(str::to_owned)).unwrap_err().to_string().contains("dsb, bsb or sa"));
    }
}
