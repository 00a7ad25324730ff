use super::cached::{Images, cached};
use crate::{Error, Run, Session, session::parameters};
use hybridrepair_core::{Evidence, PoolIdx, RegionId, Regions};
use hybridrepair_regions::{Center, Clusterer, Hdbscan, Hybrid};
use hybridrepair_runs::{Fingerprint, read_json, write_json};
use serde::{Deserialize, Serialize};

/// `regions.json`: a region per sample of the pool (null for noise) and a center per region.
#[derive(Serialize, Deserialize)]
struct RegionsFile {
    format_version: u32,
    labels: Vec<Option<RegionId>>,
    centers: Vec<PoolIdx>,
    note: Option<String>,
}

/// Failure regions: HDBSCAN's noise is dropped, k-means makes small groups of the rest.
///
/// # Errors
/// When the embeddings cannot be clustered.
pub fn cluster(session: &Session, run: &mut Run<'_>, evidence: &mut Evidence) -> Result<(), Error> {
    run.stage("cluster", |run| {
        let c = &session.config.regions;
        let embeddings = evidence.embeddings.as_ref().ok_or_else(|| Error::Config("no embeddings".to_owned()))?;
        let content = Fingerprint::of_f32(embeddings.as_slice());
        let key = session.key("cluster", 1).input("embeddings", content);
        let key = parameters(key, &(c, session.picks, session.config.seed))?;
        let (file, cost) = cached(
            session,
            run,
            &key,
            |_, folder| {
                let clusterer = Hybrid {
                    noise: Hdbscan {
                        min_samples: c.min_samples,
                        min_cluster_size: c.min_cluster_size,
                        ..Hdbscan::default()
                    },
                    average_size: c.average_size,
                    budget: session.picks,
                    center: if c.medoid { Center::Medoid } else { Center::NearestInPool },
                    restarts: c.restarts,
                };
                let mut rng = session.streams.named("cluster");
                let found = clusterer.cluster(embeddings, &mut rng)?;
                let file = RegionsFile {
                    format_version: 1,
                    labels: found.regions.labels().to_vec(),
                    centers: found.regions.iter().map(|(_, r)| r.center).collect(),
                    note: found.note,
                };
                write_json(&folder.join("regions.json"), &file)?;
                Ok(Images::default())
            },
            |folder| Ok(read_json::<RegionsFile>(&folder.join("regions.json"))?),
        )?;
        if let Some(note) = &file.note {
            run.warn("cluster", note)?;
        }
        let labels = file.labels.iter().map(|l| l.map(|r| r.0)).collect::<Vec<_>>();
        evidence.regions = Some(Regions::from_labels(&labels, &file.centers)?);
        write_json(&run.dir.layout().regions(), &file)?;
        Ok(((), cost))
    })
}
