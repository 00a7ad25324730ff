use crate::{Exit, Failure};
use hybridrepair_data::download::DownloadError;

/// The exit code of a failed download, and what to do next.
pub(super) fn of(error: DownloadError, offline: bool) -> Failure {
    use DownloadError as E;
    let (exit, help) = match &error {
        E::Unknown { .. } => (Exit::Usage, "`hybridrepair data list` lists them".to_owned()),
        E::Offline { path, url } => {
            let help = format!("run this once without --offline, or fetch {url} elsewhere and put it at {}", path.display());
            (Exit::Input, help)
        }
        E::Status { status: 401 | 403 | 407, .. } => (
            Exit::Unexpected,
            "the server or a proxy wants a permission: look at https_proxy, or fetch the file with a browser and put it \
             into the data folder"
                .to_owned(),
        ),
        E::Status { .. } => (
            Exit::Unexpected,
            "the official address may have moved: fetch the file with a browser and put it into the data folder; its \
             checksum tells whether it is the right one (`hybridrepair data list --json`)"
                .to_owned(),
        ),
        E::Network { .. } => (
            Exit::Unexpected,
            "check the network (a proxy goes into https_proxy, a company's certificates into SSL_CERT_FILE) and run \
             this again: it goes on where it stopped"
                .to_owned(),
        ),
        E::Page { .. } => {
            (Exit::Unexpected, "open a browser, log in to the network if it asks for that, and run this again".to_owned())
        }
        E::Length { .. } => (
            Exit::Unexpected,
            "the address serves another file than the published one, or a proxy does; nothing of it was kept".to_owned(),
        ),
        E::Checksum { path, .. } if path.extension().is_some_and(|e| e == "wrong") => {
            let help = "this is not the published file, and it is not used: look at it, delete it, and run this again; if \
                        it comes again, a proxy or the server hands out another file";
            (Exit::Input, help.to_owned())
        }
        E::Checksum { path, .. } => {
            let more = if offline { " without --offline" } else { "" };
            let help = format!("it is damaged or another version: move {} away and run this again{more}", path.display());
            (Exit::Input, help)
        }
        E::DiskFull { .. } => (
            Exit::Unexpected,
            "free some room, or pass --data-dir on another disk, and run this again: what came is kept".to_owned(),
        ),
        E::Archive { path, .. } => {
            (Exit::Input, format!("remove {} and run this again; nothing of it was kept", path.display()))
        }
        E::InTheWay { path, .. } => (Exit::Input, format!("move {} away and run this again", path.display())),
        _ => (Exit::Unexpected, "check the path, its rights and the room on its disk".to_owned()),
    };
    Failure::new(exit, error).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use DownloadError as E;

    #[test]
    fn what_was_received_and_what_was_there_get_other_advice() {
        let wrong = |path: &str| {
            let text = || "ab".to_owned();
            of(E::Checksum { path: path.into(), kind: "sha256", expected: text(), got: text() }, true)
        };
        let (received, there) = (wrong("d/x.mat.wrong"), wrong("d/x.mat"));
        assert!(received.help.unwrap().contains("delete it"));
        assert!(there.help.unwrap().ends_with("move d/x.mat away and run this again without --offline"));
        assert_eq!((received.exit, there.exit), (Exit::Input, Exit::Input));
    }
}
