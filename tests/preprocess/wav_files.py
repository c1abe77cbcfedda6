"""Writes WAV files byte by byte, valid and broken ones."""

import struct

import numpy as np

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE


def chunk(name, content, claims=None):
    size = len(content) if claims is None else claims
    return name + struct.pack("<I", size) + content + b"\0" * (len(content) % 2)


def form(kind=PCM, channels=1, rate=8000, bits=16, block=None, extra=b""):
    block = channels * bits // 8 if block is None else block
    return chunk(b"fmt ", struct.pack("<HHIIHH", kind, channels, rate, rate * block & 0xFFFFFFFF, block, bits) + extra)


def riff(*chunks, magic=b"RIFF"):
    body = b"WAVE" + b"".join(chunks)
    return magic + struct.pack("<I", len(body)) + body


def wav(samples, rate=8000, channels=1):
    """Returns a 16-bit file of whole numbers -32768 to 32767, interleaved."""
    return riff(form(channels=channels, rate=rate), chunk(b"data", np.asarray(samples, "<i2").tobytes()))


def tone(hz, rate, seconds, loudness=0.5):
    """Returns float [rate * seconds]: a sine that fades in and out."""
    t = np.arange(round(rate * seconds)) / rate
    return loudness * np.sin(2 * np.pi * hz * t) * np.hanning(len(t))
