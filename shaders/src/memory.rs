//! The buffers that jobs share: made when they are first needed, and made anew only for a job that needs more.

use crate::host::{Failed, Host};
use crate::kernel::Kernel;
use wgpu::{Buffer, BufferUsages};

/// Words of a job, as `job.wgsl` has them, and what rounds them up.
pub(crate) const JOB_WORDS: usize = 20;

/// What a job needs, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needs {
    pub(crate) schedule: u64,
    pub(crate) state: u64,
    pub(crate) best: u64,
    pub(crate) spins: u64,
    pub(crate) looks: u64,
}

#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) job: Buffer,
    pub(crate) schedule: Buffer,
    state: Buffer,
    best: Buffer,
    pub(crate) spins: Buffer,
    pub(crate) looks: Buffer,
    logarithms: Buffer,
}

const HERE: BufferUsages = BufferUsages::STORAGE;

impl Memory {
    /// With this table of logarithms, two to a word.
    pub(crate) fn new(host: &Host<Kernel>, logarithms: &[u32]) -> Result<Self, Failed> {
        let some = |usage| host.buffer(0, usage);
        Ok(Memory {
            job: host.buffer(4 * JOB_WORDS as u64, BufferUsages::UNIFORM | BufferUsages::COPY_DST)?,
            schedule: some(HERE | BufferUsages::COPY_DST)?,
            state: some(HERE)?,
            best: some(HERE)?,
            spins: some(HERE | BufferUsages::COPY_SRC)?,
            looks: some(HERE | BufferUsages::COPY_SRC)?,
            logarithms: host.holding(logarithms)?,
        })
    }

    /// Makes room for a job, and hands over all of it, with the links and rows of a problem.
    pub(crate) fn bound(
        &mut self,
        host: &Host<Kernel>,
        needs: Needs,
        links: &Buffer,
        rows: &Buffer,
    ) -> Result<wgpu::BindGroup, Failed> {
        for (buffer, bytes) in [
            (&mut self.schedule, needs.schedule),
            (&mut self.state, needs.state),
            (&mut self.best, needs.best),
            (&mut self.spins, needs.spins),
            (&mut self.looks, needs.looks),
        ] {
            if buffer.size() < bytes {
                let usage = buffer.usage();
                // The old one goes first: both might be too much.
                *buffer = host.buffer(0, usage)?;
                *buffer = host.buffer(bytes, usage)?;
            }
        }
        let Memory { job, schedule, state, best, spins, looks, logarithms } = &*self;
        Ok(host.bind(&[job, links, rows, schedule, state, best, spins, looks, logarithms]))
    }
}
