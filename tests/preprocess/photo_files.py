"""Writes photos byte by byte, in variants that Pillow reads but does not write."""

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

ADAM7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
"""Interlaced passes of a PNG: first row, first column, steps."""


def scene(height=45, width=70):
    """Returns uint8 [height, width, 3]: two slopes and a bright corner, so that no turn or exchange goes unseen."""
    down, right = np.mgrid[0:height, 0:width]
    pixels = np.stack([255 * down / height, 255 * right / width, np.full((height, width), 60)], axis=2)
    pixels[: height // 3, : width // 4] = (250, 240, 30)
    return pixels.astype(np.uint8)


def encode(image, kind, **options):
    file = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(file, kind, **options)
    return file.getvalue()


def as_pillow_shows(encoded, size=64):
    """Returns int [size, size, 3]: the photo upright, on white; 16 bits cut to 8."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(encoded)))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image).astype(int) >> 8).astype(np.uint8))
    return np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.BILINEAR)).astype(int)


def exif(orientation, order="<", tag=0x0112, kind=3):
    """Returns EXIF data behind its name, as a JPEG has it; `kind` 3 or 4: a number of two or four bytes."""
    number = struct.pack(order + {3: "Hxx", 4: "I"}[kind], orientation)
    entry = struct.pack(order + "HHI", tag, kind, 1) + number
    other = struct.pack(order + "HHIHH", 0x0100, 3, 1, 40, 0)
    start = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "HI", 42, 8)
    return b"Exif\0\0" + start + struct.pack(order + "H", 2) + other + entry + bytes(4)


def xmp(orientation, pattern='<rdf:Description tiff:Orientation="{}"/>'):
    """Returns XMP data; an element is `<tiff:Orientation>{}</tiff:Orientation>`."""
    return f"<x:xmpmeta><rdf:RDF>{pattern.format(orientation)}</rdf:RDF></x:xmpmeta>".encode()


def png_chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(values, kind, depth, palette=None, key=None, interlaced=False, before=b"", after=b""):
    """Writes a PNG.

    Args:
      values: ints [height, width] or [height, width, channels].
      kind: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha.
      depth: bits of a value.
      palette: uint8 [colours, 3].
      key: content of the tRNS chunk.
      interlaced: in seven passes.
      before: chunks before the pixels.
      after: chunks after them.
    """
    height, width = values.shape[:2]
    rows = b""
    for top, left, down, right in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        part = values[top::down, left::right]
        for row in part.reshape(len(part), -1) if part.size else ():
            bits = (row[:, np.newaxis].astype(int) >> np.arange(depth - 1, -1, -1)) & 1
            rows += b"\0" + np.packbits(bits.astype(np.uint8).ravel()).tobytes()
    chunks = [png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced)), before]
    if palette is not None:
        chunks.append(png_chunk(b"PLTE", np.asarray(palette, np.uint8).tobytes()))
    if key is not None:
        chunks.append(png_chunk(b"tRNS", key))
    chunks += [png_chunk(b"IDAT", zlib.compress(rows)), after, png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def gif_frame(indices, corner=(0, 0), palette=None, interlaced=False):
    """Writes a frame: indices [height, width] of up to 8 bits, its left top corner (x, y), and its own palette."""
    height, width = indices.shape
    if interlaced:
        indices = np.concatenate([indices[0::8], indices[4::8], indices[2::4], indices[1::2]])
    codes = []
    for place, index in enumerate(indices.ravel().tolist()):
        codes += [256, index] if place % 200 == 0 else [index]  # the dictionary begins anew before codes grow longer
    bits = (np.array([*codes, 257])[:, np.newaxis] >> np.arange(9)) & 1
    data = np.packbits(bits.astype(np.uint8).ravel(), bitorder="little").tobytes()
    blocks = b"".join(bytes([len(part)]) + part for part in (data[at : at + 255] for at in range(0, len(data), 255)))
    flags, table = (0, b"") if palette is None else (0x80 | (len(palette).bit_length() - 2), palette.tobytes())
    place = struct.pack("<4H", *corner, width, height)
    return b"," + place + bytes([flags | 0x40 * interlaced]) + table + b"\x08" + blocks + b"\0"


def gif(*parts, size, palette=None):
    """Writes a GIF of frames and extensions: its screen (width, height), its palette of 2, 4, ... 256 colours."""
    flags, table = (0, b"") if palette is None else (0x80 | (len(palette).bit_length() - 2), palette.tobytes())
    return b"GIF89a" + struct.pack("<HHBBB", *size, flags, 0, 0) + table + b"".join(parts) + b";"


def transparent(index):
    """Returns the extension by which a colour of the frame behind it is transparent."""
    return b"!\xf9\x04" + struct.pack("<BHB", 1, 0, index) + b"\0"


def bmp(values, bits, masks=None, header=40, palette=None, top_down=False, trailing=b"", cut=0):
    """Writes a BMP that is not compressed.

    Args:
      values: ints [height, width], palette places or the bits of a pixel.
      bits: of a pixel.
      masks: of red, green, blue and perhaps alpha.
      header: its size: 12, 40, 52, 56, 108 or 124.
      palette: uint8 [colours, 3].
      top_down: whether the first row stored is the highest.
      trailing: what follows the pixels.
      cut: bytes missing at the end of the last row.
    """
    height, width = values.shape
    table = b"" if palette is None else b"".join(bytes(one[::-1]) + b"\0" * (header > 12) for one in palette)
    named = struct.pack("<4I", *masks, *[0] * (4 - len(masks))) if masks else b""
    named = named[: 12 if header == 40 else max(0, header - 40)]
    rows = b""
    for row in values if top_down else values[::-1]:
        if bits < 8:
            shifted = (row[:, np.newaxis] >> np.arange(bits - 1, -1, -1)) & 1
            data = np.packbits(shifted.astype(np.uint8).ravel()).tobytes()
        else:
            data = row.astype("<u4").view(np.uint8).reshape(-1, 4)[:, : bits // 8].tobytes()
        rows += data + bytes(-len(data) % 4)
    start = 14 + header + len(table) + (len(named) if header == 40 else 0)
    if header == 12:
        information = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        stored = -height if top_down else height
        information = struct.pack("<IiiHHI20x", header, width, stored, 1, bits, 3 if masks else 0)
        information = (information + named).ljust(max(header, len(information) + len(named) * (header == 40)), b"\0")
    pixels = rows[: len(rows) - cut] + trailing
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + information + table + pixels
