"""Keys and certificates, made anew for each world by the openssl command."""

import os
import subprocess


def openssl(*arguments, **options):
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]}: {done.stderr.strip()}")


def new_key(path):
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)


class Authority:
    def __init__(self, directory, name):
        self.key, self.certificate = os.path.join(directory, f"{name}.key"), os.path.join(directory, f"{name}.pem")
        self.directory = directory
        new_key(self.key)
        openssl("req", "-x509", "-new", "-key", self.key, "-out", self.certificate, "-days", "30",
                "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def issue(self, label, names, usage="serverAuth", expired=False):
        """(certificate, key) for these names."""
        base = os.path.join(self.directory, label)
        new_key(base + ".key")
        openssl("req", "-new", "-key", base + ".key", "-out", base + ".csr", "-subj", f"/CN={names[0]}")
        with open(base + ".cnf", "w") as file:
            file.write("[ca]\ndefault_ca=d\n[d]\n"
                       f"database={base}.index\nserial={base}.serial\nnew_certs_dir={self.directory}\n"
                       f"default_md=sha256\npolicy=p\nx509_extensions=x\n[p]\ncommonName=supplied\n[x]\n"
                       f"subjectAltName={','.join('DNS:' + name for name in names)}\n"
                       f"extendedKeyUsage={usage}\nkeyUsage=critical,digitalSignature\n"
                       "basicConstraints=critical,CA:FALSE\n")
        open(base + ".index", "w").close()
        with open(base + ".serial", "w") as file:
            file.write(f"{int.from_bytes(os.urandom(8), 'big') | 1 << 62:016X}\n")
        dates = ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"] if expired else ["-days", "20"]
        openssl("ca", "-batch", "-notext", "-config", base + ".cnf", "-cert", self.certificate, "-keyfile", self.key,
                "-in", base + ".csr", "-out", base + ".pem", *dates)
        return base + ".pem", base + ".key"


def make(directory, origins):
    """{origin name: (certificate, key)}, and the files that clients need: 'ca', 'client', 'client_key'."""
    trusted, unknown = Authority(directory, "test-ca"), Authority(directory, "unknown-ca")
    pairs = {}
    for origin in origins:
        names = [origin.host, f"*.{origin.host}", *(f"{more}.example" for more in origin.options.get("also", ()))]
        if origin.certificate == "wrongname":
            names = ["somebody-else.example"]
        if origin.certificate == "selfsigned":
            pairs[origin.name] = self_signed(directory, origin)
        elif origin.certificate == "unknownca":
            pairs[origin.name] = unknown.issue(origin.name, names)
        else:
            pairs[origin.name] = trusted.issue(origin.name, names, expired=origin.certificate == "expired")
    client, client_key = trusted.issue("client", ["client.example"], usage="clientAuth")
    return pairs, {"ca": trusted.certificate, "client": client, "client_key": client_key}


def self_signed(directory, origin):
    base = os.path.join(directory, origin.name)
    new_key(base + ".key")
    openssl("req", "-x509", "-new", "-key", base + ".key", "-out", base + ".pem", "-days", "20",
            "-subj", f"/CN={origin.host}", "-addext", f"subjectAltName=DNS:{origin.host}")
    return base + ".pem", base + ".key"
