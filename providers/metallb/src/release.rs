//! The releases whose manifests are known by their digests.

/// A release of MetalLB.
#[derive(Debug, Clone, Copy)]
pub struct Release {
    /// Such as `0.16.2`.
    pub version: &'static str,
    /// What installs it, in this order.
    pub files: &'static [ReleaseFile],
}

/// A file of a release.
#[derive(Debug, Clone, Copy)]
pub struct ReleaseFile {
    /// Its path in the repository of MetalLB.
    pub path: &'static str,
    /// The SHA-256 of its bytes, as 64 lower-case hexadecimal digits.
    pub sha256: &'static str,
}

const NATIVE: &str = "config/manifests/metallb-native.yaml";

/// A release that one file installs.
macro_rules! native {
    ($version:literal, $sha256:literal) => {
        Release { version: $version, files: &[ReleaseFile { path: NATIVE, sha256: $sha256 }] }
    };
}

/// The releases, oldest first. The digests are those of the files in the release's Go module (`go.universe.tf/metallb`), which Go's checksum
/// database vouches for and which has the files of the repository at the release's tag.
pub const RELEASES: &[Release] = &[
    Release {
        version: "0.11.0",
        files: &[
            ReleaseFile { path: "manifests/namespace.yaml", sha256: "51a1c68cd8f92e4653075ea978642689a7786099000f9017a616567bab76114f" },
            ReleaseFile { path: "manifests/metallb.yaml", sha256: "3fa4893469564b52d243b833ba93298b3289a76e01973ffe9ddc635b189fa4b2" },
        ],
    },
    native!("0.13.12", "a5e3b65e073ba8236cc36c283fb33260e764977c7e460d6a462347ccaa91683d"),
    native!("0.14.9", "951065e85692aa106f1bb5d5a487d9306154923a794ab1d82122881cbaf588e4"),
    native!("0.15.2", "a1b04c376fb39c93265f551fe23716a3ae6e09b790edb3bf257d3fc784c35a18"),
    native!("0.15.3", "84b4e102f2b65f5d69085f5816c29362b74641873d8ac3de996e5f86a8219176"),
    native!("0.16.2", "e5f7c268f114c446dc60aaad71b7cabf861f637743e033e354d7d48592807c6d"),
];

impl Release {
    /// The release of a version, with or without `v`, if its manifests are known.
    pub(crate) fn of(version: &str) -> Option<&'static Self> {
        RELEASES.iter().find(|release| release.version == version.trim_start_matches('v'))
    }

    /// Where a file of it is published.
    pub(crate) fn url(&self, file: &ReleaseFile) -> String {
        url(self.version, file.path)
    }
}

/// Where MetalLB publishes a file of a version.
pub(crate) fn url(version: &str, path: &str) -> String {
    format!("https://raw.githubusercontent.com/metallb/metallb/v{}/{path}", version.trim_start_matches('v'))
}

/// The paths of the files that install a version of which no digests are known.
pub(crate) fn usual_paths(version: &str) -> &'static [&'static str] {
    if crate::version::below(version, crate::version::WITH_OBJECTS) {
        &["manifests/namespace.yaml", "manifests/metallb.yaml"]
    } else {
        &[NATIVE]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::Version;

    #[test]
    fn releases_are_sorted_and_whole() {
        let versions: Vec<_> = RELEASES.iter().map(|release| Version::of(release.version).unwrap()).collect();
        assert!(versions.is_sorted());
        for release in RELEASES {
            let paths: Vec<_> = release.files.iter().map(|file| file.path).collect();
            assert_eq!(paths, usual_paths(release.version), "{}", release.version);
            for file in release.files {
                assert!(file.sha256.len() == 64 && file.sha256.bytes().all(|byte| byte.is_ascii_hexdigit()), "{}", release.version);
            }
        }
    }

    #[test]
    fn files_stand_where_the_tag_is() {
        let release = Release::of("v0.16.2").unwrap();
        let url = "https://raw.githubusercontent.com/metallb/metallb/v0.16.2/config/manifests/metallb-native.yaml";
        assert_eq!(release.url(&release.files[0]), url);
        assert!(Release::of("0.12.0").is_none());
    }
}
