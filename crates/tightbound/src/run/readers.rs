//! Read the bytes of each file of a run folder, and say whether they could be read.

use super::checkpoint::Checkpoint;
use super::description::RunDescription;
use super::error::Damage;
use super::log::Log;
use super::model::Model;
use super::sealed::forge;

/// A model, as it is and with its checksum made right.
pub(crate) fn model(file: &[u8]) -> bool {
    as_it_is_and_forged(file, Model::decode)
}

/// A checkpoint of whatever run it claims to be of, as it is and with its checksum made right.
pub(crate) fn checkpoint(file: &[u8]) -> bool {
    as_it_is_and_forged(file, Checkpoint::decode_as_claimed)
}

/// `run.toml`.
pub(crate) fn description(file: &[u8]) -> bool {
    std::str::from_utf8(file).is_ok_and(|text| RunDescription::from_toml(text).is_ok())
}

/// `metrics.jsonl`, whole.
pub(crate) fn metrics(file: &[u8]) -> bool {
    let log = Log::parse(file);
    log.corrupt.is_empty() && log.torn == 0
}

/// The checksum keeps accidents out; behind it only what was forged is read.
fn as_it_is_and_forged<T>(file: &[u8], read: fn(&[u8]) -> Result<T, Damage>) -> bool {
    let whole = read(file).is_ok();
    let mut forged = file.to_vec();
    forge(&mut forged);
    whole | read(&forged).is_ok()
}
