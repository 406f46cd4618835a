# SPDX-License-Identifier: Apache-2.0
"""A software bill of materials in SPDX 2.3, of an image and the Debian packages in it."""
import hashlib
import json
import time
import urllib.parse


def purl(fields):
    """The package's URL, with its source package, by which advisories name it."""
    quoted = {key: urllib.parse.quote(fields[key], safe="~.-_") for key in ("Package", "Version", "Architecture")}
    source = fields.get("Source", fields["Package"]).split(" ")[0]
    return (f"pkg:deb/debian/{quoted['Package']}@{quoted['Version']}"
            f"?arch={quoted['Architecture']}&distro=debian-12&upstream={urllib.parse.quote(source)}")


def package(fields, digest):
    return {
        "SPDXID": f"SPDXRef-deb-{fields['Package'].replace('+', '-plus-')}",
        "name": fields["Package"], "versionInfo": fields["Version"],
        "supplier": f"Person: {fields['Maintainer'].replace('<', '(').replace('>', ')')}",
        "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION", "copyrightText": "NOASSERTION",
        "comment": f"The licence is in the image: /usr/share/doc/{fields['Package']}/copyright",
        "checksums": [{"algorithm": "SHA256", "checksumValue": digest}],
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                          "referenceLocator": purl(fields)}]}


def document(name, version, epoch, contents):
    """contents: a list of (the package's control fields, its .deb's SHA-256)."""
    packages = [package(fields, digest) for fields, digest in contents]
    image = {"SPDXID": "SPDXRef-image", "name": name, "versionInfo": version, "supplier": "NOASSERTION",
             "downloadLocation": "NOASSERTION", "filesAnalyzed": False, "primaryPackagePurpose": "CONTAINER",
             "licenseConcluded": "NOASSERTION", "licenseDeclared": "Apache-2.0", "copyrightText": "NOASSERTION"}
    digest = hashlib.sha256(json.dumps([name, version, packages], sort_keys=True).encode()).hexdigest()
    return {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"{name}-{version}",
        "documentNamespace": f"https://herald.io/spdx/{name}-{version}-{digest[:32]}",
        "creationInfo": {"created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch)),
                         "creators": ["Tool: herald-tools-image"]},
        "packages": [image, *packages],
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-image"},
            *({"spdxElementId": "SPDXRef-image", "relationshipType": "CONTAINS", "relatedSpdxElement": p["SPDXID"]}
              for p in packages)]}
