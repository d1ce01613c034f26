//! The device behind an adapter: its memory, its pipelines, and what goes wrong with it.

use crate::adapter::{self, Adapter, Unavailable};
use firelane_kernels::{ising, risk};
use pollster::block_on;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;
use wgpu::{BufferUsages, PollType};
use zerocopy::IntoBytes;

/// No submission takes so long: they are cut to a small part of a second.
const PATIENCE: Duration = Duration::from_secs(300);
/// A shader that a host can be asked for, of those that share their buffers.
pub(crate) trait Shader: Copy + Eq + Hash {
    /// Buffers behind the first, which is the job: does the shader only read it?
    const ONLY_READ: &'static [bool];

    /// In WGSL.
    fn source(&self) -> String;

    /// The function that a pipeline begins with.
    fn entry(&self) -> &'static str;
}

/// The device failed, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failed(pub(crate) String);

impl From<Failed> for ising::device::Fault {
    fn from(Failed(why): Failed) -> Self {
        Self::Device(why)
    }
}

impl From<Failed> for risk::device::Fault {
    fn from(Failed(why): Failed) -> Self {
        Self::Device(why)
    }
}

/// What went wrong since somebody looked.
#[derive(Debug, Default)]
struct Troubles {
    /// The device is gone.
    lost: Option<String>,
    /// Something failed: the first thing, as what comes after is often its consequence.
    failed: Option<String>,
}

/// Troubles, which are told from any thread.
#[derive(Clone, Debug, Default)]
struct Told(Arc<Mutex<Troubles>>);

impl Told {
    fn troubles(&self) -> MutexGuard<'_, Troubles> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, error: &wgpu::Error) {
        let text = match error {
            wgpu::Error::OutOfMemory { source } => {
                format!("out of memory ({source}): ask for fewer replicas, or solve on the CPU")
            }
            wgpu::Error::Validation { description, .. } => format!("it was asked wrongly: {description}"),
            wgpu::Error::Internal { description, .. } => format!("its driver failed: {description}"),
        };
        self.troubles().failed.get_or_insert(text);
    }

    /// An error, if there was one.
    fn check(&self) -> Result<(), Failed> {
        let mut troubles = self.troubles();
        if let Some(why) = &troubles.lost {
            return Err(Failed(format!("the adapter was lost ({why}): open it again, or solve on the CPU")));
        }
        troubles.failed.take().map_or(Ok(()), |failed| Err(Failed(failed)))
    }
}

/// A pipeline, and how fast it was last.
#[derive(Debug)]
pub(crate) struct Pipeline {
    compute: wgpu::ComputePipeline,
    /// Work a second.
    pub(crate) rate: Option<f64>,
}

/// What is to be read after a submission: so many bytes of a buffer, from its beginning.
pub(crate) type Reading<'a> = (&'a wgpu::Buffer, u64);

/// The device, and all that outlives a job.
#[derive(Debug)]
pub(crate) struct Host<S> {
    device: wgpu::Device,
    queue: wgpu::Queue,
    pub(crate) limits: wgpu::Limits,
    told: Told,
    bindings: wgpu::BindGroupLayout,
    layout: wgpu::PipelineLayout,
    pipelines: HashMap<S, Pipeline>,
    /// What is read passes through here.
    staging: Option<wgpu::Buffer>,
    #[cfg(test)]
    pub(crate) submissions: u32,
}

impl<S: Shader> Host<S> {
    /// Opens the adapter of this number or name, or with this in its name; without any, the best.
    pub(crate) fn choose(wanted: Option<&str>) -> Result<(Adapter, Self), Unavailable> {
        let mut all = adapter::all();
        let found: Vec<Adapter> = all.iter().map(|(adapter, _)| adapter.clone()).collect();
        let (adapter, opened) = all.swap_remove(adapter::choose(&found, wanted)?);
        let host = Host::open(&adapter, &opened)?;
        Ok((adapter, host))
    }

    fn open(described: &Adapter, adapter: &wgpu::Adapter) -> Result<Self, Unavailable> {
        let limits = adapter.limits();
        let asked = wgpu::DeviceDescriptor { required_limits: limits.clone(), ..Default::default() };
        let refused = |error: wgpu::RequestDeviceError| Unavailable::Refused {
            name: described.name.clone(),
            why: error.to_string(),
        };
        let (device, queue) = block_on(adapter.request_device(&asked)).map_err(refused)?;
        let told = Told::default();
        let (failing, losing) = (told.clone(), told.clone());
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| failing.failed(&error)));
        device.set_device_lost_callback(move |reason, text| {
            let text = text.trim_end_matches('.');
            losing.troubles().lost = Some(if text.is_empty() { format!("{reason:?}") } else { text.to_owned() });
        });
        let storage = |only_read: &bool| wgpu::BufferBindingType::Storage { read_only: *only_read };
        let types = std::iter::once(wgpu::BufferBindingType::Uniform).chain(S::ONLY_READ.iter().map(storage));
        let entries: Vec<_> = types
            .zip(0..)
            .map(|(ty, binding)| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
                count: None,
            })
            .collect();
        let bindings =
            device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries });
        let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: None,
            bind_group_layouts: &[Some(&bindings)],
            immediate_size: 0,
        });
        let (pipelines, staging) = (HashMap::new(), None);
        let host = Host {
            device,
            queue,
            limits,
            told,
            bindings,
            layout,
            pipelines,
            staging,
            #[cfg(test)]
            submissions: 0,
        };
        let why = |Failed(why)| Unavailable::Refused { name: described.name.clone(), why };
        host.check().map_err(why)?;
        Ok(host)
    }

    /// An error, if there was one.
    pub(crate) fn check(&self) -> Result<(), Failed> {
        self.told.check().or_else(|fault| {
            // What fails once a device is lost fails for that reason, which is told when somebody asks.
            let _ = self.device.poll(PollType::Poll);
            self.told.check().and(Err(fault))
        })
    }

    /// The most bytes of a buffer that a shader is given.
    pub(crate) fn most_bytes(&self) -> u64 {
        self.limits.max_storage_buffer_binding_size.min(self.limits.max_buffer_size)
    }

    /// A buffer of so many bytes.
    pub(crate) fn buffer(&self, bytes: u64, usage: BufferUsages) -> Result<wgpu::Buffer, Failed> {
        // Bindings are never empty, and copies are of whole words.
        let size = bytes.max(16).next_multiple_of(4);
        let asked = wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
        let buffer = self.device.create_buffer(&asked);
        self.check().map(|()| buffer)
    }

    /// A buffer of these words, for shaders to read.
    pub(crate) fn holding(&self, words: &[u32]) -> Result<wgpu::Buffer, Failed> {
        let buffer = self.buffer(4 * words.len() as u64, BufferUsages::STORAGE | BufferUsages::COPY_DST)?;
        self.write(&buffer, words);
        self.check().map(|()| buffer)
    }

    /// Writes these words, before whatever is submitted next.
    pub(crate) fn write(&self, buffer: &wgpu::Buffer, words: &[u32]) {
        self.queue.write_buffer(buffer, 0, words.as_bytes());
    }

    /// Buffers as a shader is given them: the job, then the others.
    pub(crate) fn bind(&self, buffers: &[&wgpu::Buffer]) -> wgpu::BindGroup {
        let entries: Vec<_> = buffers
            .iter()
            .enumerate()
            .map(|(binding, buffer)| wgpu::BindGroupEntry {
                binding: binding as u32,
                resource: buffer.as_entire_binding(),
            })
            .collect();
        let asked = wgpu::BindGroupDescriptor { label: None, layout: &self.bindings, entries: &entries };
        self.device.create_bind_group(&asked)
    }

    /// The pipeline of a kernel, made when it is first asked for.
    pub(crate) fn pipeline(&mut self, kernel: S) -> Result<&mut Pipeline, Failed> {
        if !self.pipelines.contains_key(&kernel) {
            let source = wgpu::ShaderSource::Wgsl(kernel.source().into());
            let module = self.device.create_shader_module(wgpu::ShaderModuleDescriptor { label: None, source });
            let compute = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: None,
                layout: Some(&self.layout),
                module: &module,
                entry_point: Some(kernel.entry()),
                // Kernels write what they read.
                compilation_options: wgpu::PipelineCompilationOptions {
                    zero_initialize_workgroup_memory: false,
                    ..Default::default()
                },
                cache: None,
            });
            self.check()?;
            self.pipelines.insert(kernel, Pipeline { compute, rate: None });
        }
        self.pipelines.get_mut(&kernel).ok_or_else(|| Failed("a pipeline was made and is gone".into()))
    }

    /// Runs so many groups of a kernel, waits, and hands over what is to be read, one after the other. No groups at all: reads alone.
    pub(crate) fn submit(
        &mut self,
        kernel: S,
        bound: &wgpu::BindGroup,
        groups: u32,
        reading: &[Reading<'_>],
    ) -> Result<Vec<u32>, Failed> {
        let compute = self.pipeline(kernel)?.compute.clone();
        let bytes: u64 = reading.iter().map(|(_, bytes)| bytes).sum();
        let staging = match self.staging.take().filter(|staging| staging.size() >= bytes) {
            Some(staging) => staging,
            None => self.buffer(bytes, BufferUsages::MAP_READ | BufferUsages::COPY_DST)?,
        };
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        if groups > 0 {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(&compute);
            pass.set_bind_group(0, bound, &[]);
            pass.dispatch_workgroups(groups, 1, 1);
        }
        let mut at = 0;
        for (buffer, bytes) in reading {
            encoder.copy_buffer_to_buffer(buffer, 0, &staging, at, *bytes);
            at += bytes;
        }
        let submitted = self.queue.submit([encoder.finish()]);
        #[cfg(test)]
        {
            self.submissions += 1;
        }
        let (tell, told) = mpsc::channel();
        staging.map_async(wgpu::MapMode::Read, ..bytes, move |mapped| {
            // Nobody waits for it any more, if a wait was given up.
            let _ = tell.send(mapped);
        });
        let waited = self.device.poll(PollType::Wait { submission_index: Some(submitted), timeout: Some(PATIENCE) });
        self.check()?;
        waited.map_err(|error| Failed(format!("no answer in {} seconds: {error}", PATIENCE.as_secs())))?;
        match told.try_recv() {
            Ok(Ok(())) => {}
            other => return Err(Failed(format!("what it found can't be read: {other:?}"))),
        }
        let view = staging.get_mapped_range(..bytes).map_err(|error| Failed(error.to_string()))?;
        let words = view.chunks_exact(4).map(|word| u32::from_ne_bytes([word[0], word[1], word[2], word[3]])).collect();
        drop(view);
        staging.unmap();
        self.staging = Some(staging);
        Ok(words)
    }

    /// Takes all pipelines to be fast, so that no test depends on how fast they are.
    #[cfg(test)]
    pub(crate) fn hurry(&mut self) {
        self.pipelines.values_mut().for_each(|pipeline| pipeline.rate = Some(1e18));
    }

    /// Loses the device, as a cable that is pulled does.
    #[cfg(test)]
    pub(crate) fn lose(&self) {
        self.device.destroy();
    }
}
