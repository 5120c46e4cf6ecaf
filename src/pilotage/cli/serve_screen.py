"""What people and programs are told while a service starts. Results on stdout, the rest on stderr.

With JSON logs the same is told as one event a line. Names out of model files are made harmless
for the terminal before they are shown.
"""

import os
import shlex
import sys
from collections.abc import Sequence
from typing import Final, TextIO

from pilotage.cli import examples
from pilotage.cli.logs import Log
from pilotage.contracts.signature import Signature, Tensor
from pilotage.formats.detect import SERVED
from pilotage.formats.opening import OpenedModel
from pilotage.spec.consistency import is_loopback
from pilotage.spec.folders import data_folder
from pilotage.spec.settings import ServeSettings
from pilotage.spec.words import printable

SHOWN_TENSORS: Final = 24
"""Inputs (or outputs) of a model that are listed; the metadata tells them all."""


class Screen:
    """Tells what happens, in the form of the log."""

    def __init__(self, log: Log, out: TextIO = sys.stdout) -> None:
        self._log = log
        self._out = out
        self._opened: list[OpenedModel] = []

    def hint(self, text: str) -> None:
        """Something that is allowed and could be better."""
        if self._log.form == "json":
            self._log.warning("hint", text=text)
        else:
            self._log.line(f"hint: {printable(text)}")

    def progress(self, text: str) -> None:
        """Something that takes long has begun."""
        if self._log.form == "json":
            self._log.info("progress", text=text)
        else:
            self._log.line(f"… {printable(text)}")

    def opened(self, model: OpenedModel) -> None:
        """A model: what it is, its signature, what was noticed, how its conversion was proven."""
        self._opened.append(model)
        if self._log.form == "text":
            self._log.line(model_text(model))
            return
        self._log.info(
            "model_opened",
            name=model.name,
            format=model.format,
            digest=model.digest,
            source=str(model.source),
            inputs=[_facts(tensor) for tensor in model.signature.inputs],
            outputs=[_facts(tensor) for tensor in model.signature.outputs],
            findings=[[finding.severity, finding.what] for finding in model.findings],
            proof=proof_text(model),
            missing_protections=list(model.missing),
        )

    def candidate_opened(self, model: OpenedModel) -> None:
        """The candidate: what it is and what was noticed; its tensors are the baseline's."""
        if self._log.form == "text":
            self._log.line(candidate_text(model))
            return
        self._log.info(
            "candidate_opened",
            name=model.name,
            format=model.format,
            digest=model.digest,
            source=str(model.source),
            findings=[[finding.severity, finding.what] for finding in model.findings],
            proof=proof_text(model),
            missing_protections=list(model.missing),
        )

    def rollout(self, settings: ServeSettings, *, page: str) -> None:
        """The terms of the rollout; `page` is where it is shown. Nothing without a candidate."""
        if settings.candidate is None:
            return
        from pilotage.cli import rollout_terms  # only where there is a rollout

        if self._log.form == "json":
            self._log.info("rollout", **rollout_terms.terms_fields(settings, page=page))
        else:
            options = data_options(settings.data_folder)
            lines = rollout_terms.terms_lines(settings, page=page, options=options)
            self._log.line("\n".join(lines))

    def serving(self, settings: ServeSettings, addresses: Sequence[tuple[str, int]]) -> None:
        """The address and a command to copy on stdout; the rest beside it."""
        url = url_of(settings, addresses)
        commands = [
            examples.curl(
                url,
                model.name,
                model.signature,
                key=settings.keys[0].shell if settings.keys else "",
                options=_tls_options(settings),
            )
            for model in self._opened
        ]
        folder = settings.record.folder if settings.record else None
        if self._log.form == "json":
            self._log.info("ready", url=url, try_this=commands, records=folder, **_access(settings))
        else:
            self._log.line("\n".join(ready_text(settings)))
        self._out.write(f"{url}\n\n" + "\n\n".join(commands) + "\n")
        self._out.flush()


def data_options(folder: str) -> str:
    """What other commands need to find this data folder; "" where they take it anyway."""
    taken = os.environ.get("PILOTAGE_DATA") or data_folder(os.environ, sys.platform)
    return "" if folder == taken else f"--data {shlex.quote(folder)}"


def model_text(model: OpenedModel) -> str:
    """A model for people: a heading, its tensors, findings, proof and missing protections."""
    title = f"{model.name}: {SERVED.get(model.format, model.format)} ({model.source.name})"
    return "\n".join([printable(title), *signature_lines(model.signature), *_noticed(model)])


def candidate_text(model: OpenedModel) -> str:
    """A candidate for people: a heading, findings, proof and missing protections."""
    kind = SERVED.get(model.format, model.format)
    title = f"{model.name}, candidate: {kind} ({model.source.name})"
    return "\n".join([printable(title), *_noticed(model)])


def _noticed(model: OpenedModel) -> list[str]:
    lines = [f"  {finding.severity:<9}{printable(finding.what)}" for finding in model.findings]
    if proof := proof_text(model):
        lines.append(f"  {'proof':<9}{printable(proof)}")
    return lines + [f"  {'missing':<9}{printable(protection)}" for protection in model.missing]


def signature_lines(signature: Signature) -> list[str]:
    """A small table: name, datatype, shape, and the range or categories where known."""
    lines: list[str] = []
    listed = signature.inputs[:SHOWN_TENSORS] + signature.outputs[:SHOWN_TENSORS]
    width = max((len(printable(tensor.name)) for tensor in listed), default=0)
    for label, tensors in (("input", signature.inputs), ("output", signature.outputs)):
        shown = tensors[:SHOWN_TENSORS]
        lines += [
            f"  {label:<9}{printable(tensor.name):<{width}}  {tensor.datatype:<6} "
            f"{_shape(tensor)}{_range(tensor)}".rstrip()
            for tensor in shown
        ]
        if len(tensors) > len(shown):
            lines.append(f"  {'':<9}and {len(tensors) - len(shown)} more {label}s")
    return lines


def ready_text(settings: ServeSettings) -> list[str]:
    """What is in force: who may call, and where records go."""
    lines: list[str] = []
    if settings.keys:
        lines.append(f"callers  {len(settings.keys)} with a key")
    else:
        lines.append(
            "callers  no key: bound to loopback only, open to every program of this machine"
        )
    if settings.record:
        folder = printable(settings.record.folder)
        lines.append(f"records  {folder}; look into them: pilotage record tail --record {folder}")
    else:
        lines.append("records  none: --no-record")
    return lines


def url_of(settings: ServeSettings, addresses: Sequence[tuple[str, int]]) -> str:
    """Where the service is, as seen from this machine."""
    port = addresses[0][1] if addresses else settings.port
    host = settings.host
    if host in ("0.0.0.0", "::"):
        host = "localhost" if settings.tls else "127.0.0.1" if host == "0.0.0.0" else "::1"
    scheme = "https" if settings.tls else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def proof_text(model: OpenedModel) -> str:
    """How original and converted compared; "" for a model that needed no conversion."""
    proof = model.proof
    if proof is None:
        return ""
    sampled = f" and {proof.sample_rows} of the sample" if proof.sample_rows else ""
    parts = [f"{proof.rows - proof.sample_rows} probe rows{sampled}, original and converted"]
    parts += [
        f"{output.name} differs by at most {output.largest_difference:.2g} "
        f"(allowed there {output.allowed:.2g})"
        for output in proof.outputs
    ]
    return "; ".join(parts)


def _tls_options(settings: ServeSettings) -> tuple[str, ...]:
    tls = settings.tls
    if tls is None:
        return ()
    client = ("--cert", "CLIENT.pem", "--key", "CLIENT-KEY.pem") if tls.client_ca else ()
    return ("--cacert", tls.cert, *client)


def _access(settings: ServeSettings) -> dict[str, object]:
    return {"keys": len(settings.keys), "loopback_only": is_loopback(settings.host)}


def _shape(tensor: Tensor) -> str:
    return "[" + ", ".join(printable(str(axis)) for axis in tensor.shape) + "]"


def _range(tensor: Tensor) -> str:
    known = "  optional" if tensor.optional else ""
    if tensor.categories:
        some = ", ".join(printable(category) for category in tensor.categories[:4])
        more = len(tensor.categories) - 4
        return known + f"  {some}" + (f" and {more} more" if more > 0 else "")
    if tensor.low is not None and tensor.high is not None:
        return known + f"  {tensor.low:g} to {tensor.high:g}"
    return known


def _facts(tensor: Tensor) -> dict[str, object]:
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}
