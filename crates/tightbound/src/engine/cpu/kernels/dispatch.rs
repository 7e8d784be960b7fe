//! Choose the instruction set once, and run kernels on it.

use std::fmt;

#[cfg(target_arch = "x86_64")]
use super::avx2::Avx2;
#[cfg(target_arch = "x86_64")]
use super::avx512::Avx512;
#[cfg(target_arch = "aarch64")]
use super::neon::Neon;
use super::portable::Portable;
use super::simd::Simd;

/// Work written once for every instruction set.
///
/// `run` must be `#[inline(always)]`, and so must everything generic that it calls: only then is it
/// compiled with the instructions of its path.
pub(crate) trait Task {
    type Output;
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// An instruction set of this machine. All give the same bits; they differ in speed alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelPath(Path);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Path {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "aarch64")]
    Neon,
    Portable,
}

impl KernelPath {
    /// The paths this machine can run, fastest first; `portable` is always the last.
    pub fn available() -> Vec<Self> {
        let mut paths = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = std::arch::is_x86_feature_detected!("avx2")
                && std::arch::is_x86_feature_detected!("fma");
            if avx2 && std::arch::is_x86_feature_detected!("avx512f") {
                paths.push(Self(Path::Avx512));
            }
            if avx2 {
                paths.push(Self(Path::Avx2));
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            paths.push(Self(Path::Neon));
        }
        paths.push(Self(Path::Portable));
        paths
    }

    /// The fastest path of this machine.
    pub fn fastest() -> Self {
        Self::available()[0]
    }

    /// The name on the command line and in run folders.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Path::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Path::Avx2 => "avx2",
            #[cfg(target_arch = "aarch64")]
            Path::Neon => "neon",
            Path::Portable => "portable",
        }
    }

    /// Runs `task` with this path's instructions.
    pub(crate) fn run<T: Task>(self, task: T) -> T::Output {
        match self.0 {
            // SAFETY: a `KernelPath` is only made by `available`, after the processor was asked.
            #[cfg(target_arch = "x86_64")]
            Path::Avx512 => unsafe { run_avx512(task) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Path::Avx2 => unsafe { run_avx2(task) },
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            Path::Neon => unsafe { run_neon(task) },
            Path::Portable => task.run(Portable),
        }
    }
}

impl fmt::Display for KernelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Compiles a task for AVX-512.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
fn run_avx512<T: Task>(task: T) -> T::Output {
    // SAFETY: this function is only called where the processor has these features.
    task.run(unsafe { Avx512::new() })
}

/// Compiles a task for AVX2 with FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<T: Task>(task: T) -> T::Output {
    // SAFETY: this function is only called where the processor has these features.
    task.run(unsafe { Avx2::new() })
}

/// Compiles a task for NEON.
#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
fn run_neon<T: Task>(task: T) -> T::Output {
    // SAFETY: this function is only called where the processor has this feature.
    task.run(unsafe { Neon::new() })
}
