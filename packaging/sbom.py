#!/usr/bin/env python3
"""What the program is made of, as SPDX 2.3 JSON on stdout: itself, and each Debian package that it loads a library of.
Usage: sbom.py BINARY VERSION SECONDS_SINCE_1970"""

import datetime
import hashlib
import json
import pathlib
import re
import subprocess
import sys


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def libraries(binary):
    """Paths of those that the program names itself, not of what they need in turn."""
    named = set(re.findall(r"\(NEEDED\).*\[(.+)\]", output_of("readelf", "-d", binary)))
    found = dict(re.findall(r"(\S+) => (\S+)", output_of("ldd", binary)))
    return sorted(pathlib.Path(found[name]).resolve() for name in named if name in found)


def debian_package(library):
    """By the last two parts of the path, since /lib may be a link to /usr/lib."""
    name = output_of("dpkg", "-S", f"*/{library.parent.name}/{library.name}").split(":")[0]
    return name, output_of("dpkg-query", "-W", "-f", "${Version}\t${source:Package}", name).split("\t")


def entry(identity, name, version, **more):
    return {"SPDXID": f"SPDXRef-{identity}", "name": name, "versionInfo": version, "downloadLocation": "NOASSERTION",
            "filesAnalyzed": False, **more}


def document(binary, version, seconds):
    digest = hashlib.sha256(pathlib.Path(binary).read_bytes()).hexdigest()
    packages = [entry("latchkey", "latchkey", version, licenseDeclared="Apache-2.0",
                      checksums=[{"algorithm": "SHA256", "checksumValue": digest}])]
    relations = [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-latchkey"}]
    for name, (their, source) in sorted({debian_package(library)[0]: debian_package(library)[1] for library in libraries(binary)}.items()):
        identity = re.sub(r"[^A-Za-z0-9.-]", "-", name)
        packages.append(entry(identity, name, their, sourceInfo=f"Debian source package {source}", externalRefs=[
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": f"pkg:deb/debian/{name}@{their}"}]))
        relations.append({"spdxElementId": "SPDXRef-latchkey", "relationshipType": "DYNAMIC_LINK", "relatedSpdxElement": f"SPDXRef-{identity}"})
    created = datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"latchkey-{version}",
            "documentNamespace": f"https://spdx.org/spdxdocs/latchkey-{version}-{digest[:16]}",
            "creationInfo": {"created": created, "creators": ["Tool: packaging/sbom.py"]}, "packages": packages, "relationships": relations}


if __name__ == "__main__":
    print(json.dumps(document(*sys.argv[1:]), indent=2))
