//! Put tensors and one JSON header string into a safetensors file that carries its own checksum.
//!
//! ```text
//! length of the header (8 bytes, little-endian)
//! {"__metadata__":{"tightbound":"{\"sha256\":\"<64 digits>\",\"kind\":…,\"format\":…,\"content\":…}"},
//!  "<tensor>":{"dtype":"F32","shape":[…],"data_offsets":[…]}, …}
//! payload
//! ```
//!
//! The checksum is that of the whole file, header included, with its own 64 digits read as zeros.
//! It always stands at the same place, so it is verified before anything is parsed: a file whose
//! bytes have changed is refused whatever the change. Reading allocates nothing that a header
//! asks for before the file's real size has been compared with it.

use std::collections::HashMap;
use std::ops::Range;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::error::Damage;
use crate::data::hex;
use crate::model::{Architecture, Parameter, ParameterTable};

/// The metadata key of the header string.
const KEY: &str = "tightbound";
/// What stands between the header's length and the checksum.
const PREFIX: &[u8] = br#"{"__metadata__":{"tightbound":"{\"sha256\":\""#;
/// Where the checksum stands.
const CHECKSUM: Range<usize> = 8 + PREFIX.len()..8 + PREFIX.len() + 64;
/// The format that this program writes and reads.
const FORMAT: u32 = 1;

/// The header string.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<T> {
    sha256: String,
    kind: String,
    format: u64,
    content: T,
}

/// One flat buffer laid out by the parameter table, and what precedes its tensors' names.
pub(super) struct Buffer<'a> {
    /// `adam.m.`, say.
    pub prefix: &'static str,
    /// One element per parameter.
    pub values: &'a [f32],
}

/// Makes the bytes of a file of the given kind.
pub(super) fn seal<T: Serialize>(
    kind: &'static str,
    content: &T,
    table: &ParameterTable,
    buffers: &[Buffer<'_>],
) -> Vec<u8> {
    let header =
        Header { sha256: "0".repeat(64), kind: kind.to_owned(), format: FORMAT.into(), content };
    let header = serde_json::to_string(&header).expect("plain structures become JSON");
    let payloads: Vec<Vec<u8>> =
        buffers.iter().map(|b| b.values.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
    let mut tensors = Vec::new();
    for (buffer, payload) in buffers.iter().zip(&payloads) {
        for entry in table.entries() {
            let Range { start, end } = entry.range();
            let bytes = &payload[4 * start..4 * end];
            let view = TensorView::new(Dtype::F32, entry.shape.clone(), bytes)
                .expect("the table's shapes fit the buffer");
            tensors.push((format!("{}{}", buffer.prefix, entry.name), view));
        }
    }
    let metadata = HashMap::from([(KEY.to_owned(), header)]);
    let mut file = safetensors::serialize(tensors, Some(metadata)).expect("names differ");
    assert!(file[8..].starts_with(PREFIX), "the checksum's place is part of the format");
    let checksum = checksum(&file);
    file[CHECKSUM].copy_from_slice(checksum.as_bytes());
    file
}

/// A file whose checksum was right.
pub(super) struct Unsealed<'a, T> {
    /// What the header tells.
    pub content: T,
    tensors: SafeTensors<'a>,
    payload: usize,
}

/// Verifies the bytes of a file of the wanted kind, and parses its header.
pub(super) fn unseal<'a, T: DeserializeOwned>(
    file: &'a [u8],
    wanted: &'static str,
) -> Result<Unsealed<'a, T>, Damage> {
    if file.len() < CHECKSUM.end || !file[8..].starts_with(PREFIX) {
        return Err(Damage::NotOurs);
    }
    if file[CHECKSUM] != *checksum(file).as_bytes() {
        return Err(length_damage(file).unwrap_or(Damage::Checksum));
    }
    let malformed = |e: &dyn std::fmt::Display| Damage::Header(e.to_string());
    let (_, metadata) = SafeTensors::read_metadata(file).map_err(|e| malformed(&e))?;
    let header = metadata.metadata().as_ref().and_then(|m| m.get(KEY));
    let header = header.ok_or(Damage::NotOurs)?;
    let header: Header<Value> = serde_json::from_str(header).map_err(|e| malformed(&e))?;
    if header.format != u64::from(FORMAT) {
        return Err(Damage::Format { found: header.format, known: FORMAT });
    }
    if header.kind != wanted {
        return Err(Damage::Kind { found: header.kind, wanted });
    }
    let content = serde_json::from_value(header.content).map_err(|e| malformed(&e))?;
    let tensors = SafeTensors::deserialize(file).map_err(|e| malformed(&e))?;
    Ok(Unsealed { content, tensors, payload: metadata.data_len() })
}

impl<T> Unsealed<'_, T> {
    /// The parameter table of a model that the file claims to hold; refused if it could not fit.
    pub fn table(&self, architecture: &Architecture) -> Result<ParameterTable, Damage> {
        architecture.validate().map_err(|e| Damage::Header(e.to_string()))?;
        let table = ParameterTable::new(architecture);
        if table.total() > self.payload / 4 {
            return Err(Damage::Header(format!(
                "{} bytes of tensors cannot hold the model `{architecture}`",
                self.payload
            )));
        }
        Ok(table)
    }

    /// Copies one flat buffer out of the tensors whose names begin with `prefix`; all numbers are finite.
    pub fn buffer(&self, table: &ParameterTable, prefix: &str) -> Result<Vec<f32>, Damage> {
        let mut values = Vec::with_capacity(table.total());
        for entry in table.entries() {
            let name = format!("{prefix}{}", entry.name);
            match self.bytes(&name, entry) {
                Ok(bytes) => {
                    let words = bytes.as_chunks::<4>().0;
                    values.extend(words.iter().map(|w| f32::from_le_bytes(*w)));
                }
                Err(problem) => return Err(Damage::Tensor { name, problem }),
            }
        }
        if let Some((tensor, number)) = table.first_non_finite(&values) {
            let name = format!("{prefix}{}", tensor.name);
            return Err(Damage::Tensor { name, problem: format!("holds the number {number}") });
        }
        Ok(values)
    }

    fn bytes(&self, name: &str, entry: &Parameter) -> Result<&[u8], String> {
        let tensor = self.tensors.tensor(name).map_err(|_| "is missing".to_owned())?;
        if tensor.dtype() != Dtype::F32 {
            return Err(format!("has the type {:?}, not F32", tensor.dtype()));
        }
        if tensor.shape() != entry.shape {
            return Err(format!("has the shape {:?}, not {:?}", tensor.shape(), entry.shape));
        }
        Ok(tensor.data())
    }
}

/// SHA-256 of the file with its checksum read as zeros.
fn checksum(file: &[u8]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(&file[..CHECKSUM.start]);
    hasher.update([b'0'; 64]);
    hasher.update(&file[CHECKSUM.end..]);
    hex(&hasher.finalize())
}

/// Tells a wrong length, the likeliest damage, from other changes.
fn length_damage(file: &[u8]) -> Option<Damage> {
    let header = u64::from_le_bytes(*file.first_chunk::<8>()?);
    let found = file.len() as u64;
    let after_header = header.checked_add(8)?;
    if after_header > found {
        return Some(Damage::Length { found, announced: after_header });
    }
    let header = file.get(8..usize::try_from(after_header).ok()?)?;
    let tensors: HashMap<String, Value> = serde_json::from_slice(header).ok()?;
    let ends = tensors.values().filter_map(|t| t.get("data_offsets")?.get(1)?.as_u64());
    let announced = after_header.checked_add(ends.max()?)?;
    (announced != found).then_some(Damage::Length { found, announced })
}

/// Makes a changed file one that a stranger could have made: the header ends at its last brace, and the
/// checksum is right.
pub(super) fn forge(file: &mut [u8]) {
    if let Some(end) = file.iter().rposition(|&byte| byte == b'}')
        && end >= CHECKSUM.end
    {
        file[..8].copy_from_slice(&(end as u64 - 7).to_le_bytes());
    }
    reseal(file);
}

/// Makes the checksum right again after the file was changed.
pub(super) fn reseal(file: &mut [u8]) {
    if file.len() >= CHECKSUM.end {
        let checksum = checksum(file);
        file[CHECKSUM].copy_from_slice(checksum.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::description;
    use super::*;

    fn sealed(architecture: &Architecture) -> Vec<u8> {
        let table = ParameterTable::new(architecture);
        let values = vec![0.5; table.total()];
        seal("model", &"content", &table, &[Buffer { prefix: "", values: &values }])
    }

    #[test]
    fn what_ends_before_its_checksum_is_not_ours() {
        let file = sealed(&description().architecture());
        let damage = |length: usize| unseal::<Value>(&file[..length], "model").err();
        assert!(matches!(damage(CHECKSUM.end - 1), Some(Damage::NotOurs)));
        assert!(matches!(damage(CHECKSUM.end), Some(Damage::Length { .. })));
        assert!(damage(file.len()).is_none());
    }

    /// Before a buffer of that size is made.
    #[test]
    fn a_model_larger_than_the_file_is_refused() {
        let own = description().architecture();
        let file = sealed(&own);
        let unsealed = unseal::<String>(&file, "model").ok().unwrap();
        assert_eq!(unsealed.content, "content");
        let table = unsealed.table(&own).unwrap();
        assert_eq!(unsealed.buffer(&table, "").unwrap(), vec![0.5; table.total()]);
        let larger = Architecture { latents: own.latents + 1, ..own };
        let refused = unsealed.table(&larger).err();
        assert!(matches!(refused, Some(Damage::Header(reason)) if reason.contains("cannot hold")));
    }

    #[test]
    fn forged_files_announce_a_header_up_to_their_last_brace() {
        let mut file = sealed(&description().architecture());
        let length = u64::from_le_bytes(*file.first_chunk().unwrap()) as usize;
        let last = file[..8 + length].iter().rposition(|&byte| byte == b'}').unwrap();
        file.truncate(8 + length);
        file.push(b' ');
        file[..8].fill(9);
        forge(&mut file);
        assert_eq!(file[..8], (last as u64 + 1 - 8).to_le_bytes());
        assert_eq!(file[CHECKSUM], *checksum(&file).as_bytes());
    }
}
