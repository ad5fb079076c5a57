"""The scene: a painted landscape with moving objects, or the given pictures."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

from hailuo_mcp.sandbox.clips.camera import Pose, jolt

if TYPE_CHECKING:
    from PIL.Image import Image

MARGIN = 0.32
"""How far the canvas reaches beyond the frame on every side, in frames."""

# sky above, sky below, sun, far hills, near hills, ground, foreground
_PALETTES = (
    ("#1b2a4a", "#f4a261", "#ffe8b0", "#7a5c86", "#4a4470", "#2b2f55", "#151a33"),
    ("#0f4c75", "#bbe1fa", "#fff7d6", "#7fb3d0", "#4f8a8b", "#2f6b5f", "#16403a"),
    ("#2d1b4e", "#ff8fa3", "#ffd6a5", "#8d5a97", "#5b3a6e", "#3a2350", "#1d1030"),
    ("#0b132b", "#3a506b", "#e0fbfc", "#2f4a68", "#1f3552", "#14263d", "#080f1d"),
    ("#3d5a80", "#ffe5b4", "#fff3d0", "#c68b59", "#a3623a", "#7a4427", "#452413"),
    ("#14532d", "#d9f2c4", "#fffbe0", "#6fa77a", "#3f7d58", "#2a5c40", "#123524"),
)


class Landscape:
    """Hills under a sun, clouds, birds and a balloon; its colours come from the prompt."""

    def __init__(self, width: int, height: int, prompt: str, subject: Image | None = None) -> None:
        """Paint everything once; frames only cut and paste."""
        seed = hashlib.sha256(prompt.encode()).digest()
        colours = _PALETTES[seed[0] % len(_PALETTES)]
        self._size = (width, height)
        self._seed = seed
        self._back = _paint(width, height, colours, seed)
        self._front = _foreground(width, height, colours[6], seed)
        self._cloud = _cloud(width, height)
        self._hero = _portrait(subject, height) if subject else _balloon(height, seed)
        self._is_portrait = subject is not None

    def frame(self, pose: Pose, seconds: float) -> Image:
        """Return the view from a pose at a time."""
        from PIL import Image

        width, height = self._size
        shake_x, shake_y = jolt(pose.shake, seconds)
        far_x = pose.pan_x + 0.35 * pose.truck_x + 0.3 * pose.track + shake_x
        far_y = pose.pan_y + 0.35 * pose.truck_y + shake_y
        zoom = math.exp(pose.zoom + 0.45 * pose.push)
        view = crop(self._back, self._size, far_x, far_y, zoom, smooth=False)
        for index in range(3):
            speed, level = 0.012 + 0.006 * index, 0.10 + 0.11 * index
            across = (self._seed[1 + index] / 255 + speed * seconds - 0.6 * far_x) % 1.5 - 0.25
            upright = (level - far_y * 0.8 - 0.5) * zoom + 0.5
            self._paste(view, self._cloud, across, upright)
        near_zoom = math.exp(pose.zoom + pose.push)
        bob = 0.014 * math.sin(seconds * 1.7)
        # A person stands still in the middle, where a push does not lose them; a balloon drifts.
        x, y = (0.04, -0.02) if self._is_portrait else (0.12 + 0.02 * seconds, -0.10)
        hero_x = 0.5 + (x - pose.pan_x - 0.8 * pose.truck_x - shake_x) * near_zoom
        hero_y = 0.5 + (y + bob - pose.pan_y - 0.8 * pose.truck_y - shake_y) * near_zoom
        wide, high = self._hero.size
        hero = self._hero
        if near_zoom != 1.0:
            larger = (max(2, round(wide * near_zoom)), max(2, round(high * near_zoom)))
            hero = hero.resize(larger, Image.Resampling.BILINEAR)
        self._paste(view, hero, hero_x, hero_y)
        self._birds(view, seconds, far_x, far_y, zoom)
        front_x = pose.pan_x + 1.1 * pose.truck_x + 1.4 * pose.track + shake_x
        front_y = pose.pan_y + 1.1 * pose.truck_y + shake_y
        sunk = 0.30 * max(0.0, near_zoom - 1.0) - 0.10 * max(0.0, 1.0 - near_zoom)
        # It passes faster than what is behind it; its end must not come into view.
        left = min(0, max(width - self._front.width, round(-(MARGIN + front_x) * width)))
        top = round((0.76 - front_y + sunk) * height)
        view.paste(self._front, (left, top), self._front)
        return view

    def _paste(self, view: Image, sprite: Image, x: float, y: float) -> None:
        width, height = self._size
        corner = (round(x * width - sprite.width / 2), round(y * height - sprite.height / 2))
        view.paste(sprite, corner, sprite)

    def _birds(self, view: Image, seconds: float, x: float, y: float, zoom: float) -> None:
        from PIL import ImageDraw

        width, height = self._size
        draw = ImageDraw.Draw(view)
        span = 0.011 * min(width, height) * zoom
        for index in range(5):
            along = (0.1 + 0.055 * seconds + 0.045 * index - 0.9 * x) % 1.3 - 0.15
            level = (0.24 + 0.018 * (index % 3) - 0.5 - y) * zoom + 0.5
            flap = math.sin(seconds * 9.0 + index * 1.4) * span * 0.7
            cx, cy = along * width, level * height
            wings = [(cx - span * 1.6, cy - flap), (cx, cy), (cx + span * 1.6, cy - flap)]
            draw.line(wings, fill=(24, 26, 40), width=max(2, round(span / 4)), joint="curve")


class Photograph:
    """A given picture, surrounded by its own mirror image so that the camera has room to move."""

    def __init__(self, width: int, height: int, picture: Image) -> None:
        """Fit the picture to the frame."""
        from PIL import Image, ImageOps

        self._size = (width, height)
        fitted = ImageOps.fit(picture.convert("RGB"), self._size, Image.Resampling.LANCZOS)
        side_x, side_y = round(width * MARGIN), round(height * MARGIN)
        canvas = Image.new("RGB", (width + 2 * side_x, height + 2 * side_y))
        flipped = fitted.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        for column, whole in ((-1, flipped), (0, fitted), (1, flipped)):
            upside = whole.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
            for row, part in ((-1, upside), (0, whole), (1, upside)):
                canvas.paste(part, (side_x + column * width, side_y + row * height))
        self._back = canvas
        self._glow = _glow(max(6, min(width, height) // 60))

    def frame(self, pose: Pose, seconds: float) -> Image:
        """Return the view from a pose; at rest and at 0 s it is the picture itself."""
        width, height = self._size
        shake_x, shake_y = jolt(pose.shake, seconds)
        x = pose.pan_x + 0.8 * pose.truck_x + pose.track + shake_x
        y = pose.pan_y + 0.8 * pose.truck_y + shake_y
        zoom = math.exp(pose.zoom + pose.push)
        view = crop(self._back, self._size, x, y, zoom, smooth=True)
        if seconds > 0:
            # Motes of light that rise: a still picture must be seen to play.
            for index in range(9):
                across = (0.13 + 0.17 * index + 0.02 * math.sin(seconds + index)) % 1.0
                level = 1.05 - (0.11 * seconds * (1 + index % 3 / 3) + 0.29 * index) % 1.1
                corner = (round(across * width), round(level * height))
                view.paste(self._glow, corner, self._glow)
        return view


def crop(
    canvas: Image, size: tuple[int, int], x: float, y: float, zoom: float, *, smooth: bool
) -> Image:
    """Cut the frame out of its canvas, between pixels, never reaching over the edge."""
    from PIL import Image

    width, height = size
    # Beyond this the window would be larger than the canvas.
    zoom = max(zoom, width / (canvas.width - 2), height / (canvas.height - 2))
    wide, high = width / zoom, height / zoom
    left = (canvas.width - wide) / 2 + x * width
    top = (canvas.height - high) / 2 + y * height
    left = min(max(0.0, left), canvas.width - wide)
    top = min(max(0.0, top), canvas.height - high)
    if zoom == 1.0:
        # Whole pixels: twenty times faster, and at the speed of a pan nobody sees the difference.
        left, top = round(left), round(top)
        return canvas.crop((left, top, left + width, top + height))
    # Flat painted colours hardly show a missing interpolation, and it is half of a frame's time.
    # With it, this is still twice as fast as the same as an affine transform.
    how = Image.Resampling.BILINEAR if smooth else Image.Resampling.NEAREST
    return canvas.resize(size, how, box=(left, top, left + wide, top + high))


def _paint(width: int, height: int, colours: tuple[str, ...], seed: bytes) -> Image:
    from PIL import Image, ImageDraw, ImageFilter

    canvas_w, canvas_h = round(width * (1 + 2 * MARGIN)), round(height * (1 + 2 * MARGIN))
    sky = Image.linear_gradient("L").resize((canvas_w, canvas_h))
    canvas = Image.composite(
        Image.new("RGB", sky.size, colours[1]), Image.new("RGB", sky.size, colours[0]), sky
    )
    short = min(width, height)
    sun_x, sun_y, radius = round(canvas_w * 0.36), round(canvas_h * 0.44), round(short * 0.11)
    halo = Image.new("L", (canvas_w // 4, canvas_h // 4))
    glow = ImageDraw.Draw(halo)
    for ring, light in ((3.2, 60), (2.2, 110), (1.4, 170)):
        reach = ring * radius / 4
        box = (sun_x / 4 - reach, sun_y / 4 - reach, sun_x / 4 + reach, sun_y / 4 + reach)
        glow.ellipse(box, fill=light)
    halo = halo.filter(ImageFilter.GaussianBlur(radius / 5)).resize((canvas_w, canvas_h))
    canvas.paste(Image.new("RGB", canvas.size, colours[2]), mask=halo)
    draw = ImageDraw.Draw(canvas)
    draw.ellipse((sun_x - radius, sun_y - radius, sun_x + radius, sun_y + radius), fill=colours[2])
    for layer, (colour, level, rough) in enumerate(
        ((colours[3], 0.56, 0.075), (colours[4], 0.63, 0.055), (colours[5], 0.71, 0.03))
    ):
        ridge = _ridge(canvas_w, canvas_h * level, canvas_h * rough, seed, layer)
        draw.polygon([(0, canvas_h), *ridge, (canvas_w, canvas_h)], fill=colour)
    # Pillow draws without smoothing; once over the whole costs less than twice the size.
    return canvas.filter(ImageFilter.SMOOTH)


def _ridge(
    width: int, level: float, rough: float, seed: bytes, layer: int
) -> list[tuple[float, float]]:
    phases = [byte / 40 for byte in seed[8 + 4 * layer : 12 + 4 * layer]]
    points: list[tuple[float, float]] = []
    for x in range(0, width + 8, 8):
        along = x / width * math.tau
        swell = math.sin(along * (1.3 + layer) + phases[0])
        swell += 0.5 * math.sin(along * (3.1 + layer) + phases[1])
        swell += 0.25 * abs(math.sin(along * 7.3 + phases[2])) + 0.1 * math.sin(along * 19)
        points.append((x, level - rough * swell))
    return points


def _foreground(width: int, height: int, colour: str, seed: bytes) -> Image:
    from PIL import Image, ImageDraw

    strip_w, strip_h = round(width * (1 + 2 * MARGIN)), round(height * 0.79)
    strip = Image.new("RGBA", (strip_w, strip_h))
    draw = ImageDraw.Draw(strip)
    ridge = _ridge(strip_w, height * 0.14, height * 0.022, seed, 2)
    draw.polygon([(0, strip_h), *ridge, (strip_w, strip_h)], fill=colour)
    for index in range(22):
        x, base = ridge[(index * 13 + seed[index] // 8) % len(ridge)]
        tall = height * (0.045 + seed[index] / 255 * 0.05)
        for tier in range(3):
            wide, foot = tall * (0.30 - 0.07 * tier), base + 4 - tall * 0.28 * tier
            draw.polygon([(x - wide, foot), (x, foot - tall * 0.5), (x + wide, foot)], fill=colour)
    return strip


def _cloud(width: int, height: int) -> Image:
    from PIL import Image, ImageDraw, ImageFilter

    wide, high = max(8, round(0.2 * width)), max(8, round(0.075 * height))
    mask = Image.new("L", (wide, high))
    draw = ImageDraw.Draw(mask)
    for x, y, reach in ((0.3, 0.58, 0.24), (0.5, 0.48, 0.3), (0.7, 0.6, 0.22)):
        side, up = reach * 0.7 * wide, reach * high
        draw.ellipse((x * wide - side, y * high - up, x * wide + side, y * high + up), fill=130)
    cloud = Image.new("RGBA", (wide, high), "white")
    cloud.putalpha(mask.filter(ImageFilter.GaussianBlur(high / 9)))
    return cloud


def _balloon(height: int, seed: bytes) -> Image:
    from PIL import Image, ImageDraw

    # Painted at twice the size and shrunk: Pillow's drawing has no smooth edges.
    high = 2 * round(0.24 * height)
    wide = round(high * 0.72)
    balloon = Image.new("RGBA", (wide, high))
    draw = ImageDraw.Draw(balloon)
    stripes = (("#e76f51", "#f4e1c1"), ("#2a9d8f", "#f6f1d5"), ("#e63946", "#f1faee"))[seed[2] % 3]
    bag = wide * 0.98
    for index, share in enumerate((1.0, 0.72, 0.40, 0.12)):
        reach = bag * share / 2
        draw.ellipse((wide / 2 - reach, 0, wide / 2 + reach, bag), fill=stripes[index % 2])
    neck = bag * 0.93
    foot = high * 0.82
    collar = [(wide * 0.36, neck), (wide * 0.64, neck), (wide * 0.55, foot), (wide * 0.45, foot)]
    draw.polygon(collar, fill=stripes[0])
    for x in (0.45, 0.55):
        draw.line((wide * x, high * 0.8, wide * x, high * 0.9), fill="#3b2a1a", width=3)
    draw.rounded_rectangle(
        (wide * 0.42, high * 0.89, wide * 0.58, high * 0.99), radius=6, fill="#6b4423"
    )
    return balloon.resize((wide // 2, high // 2), Image.Resampling.LANCZOS)


def _portrait(subject: Image, height: int) -> Image:
    from PIL import Image, ImageDraw, ImageOps

    side = round(0.5 * height)
    face = ImageOps.fit(subject.convert("RGB"), (side, side), Image.Resampling.LANCZOS)
    disc = Image.new("L", (side * 2, side * 2))
    draw = ImageDraw.Draw(disc)
    draw.ellipse((2, 2, side * 2 - 2, side * 2 - 2), fill=255)
    face.putalpha(disc.resize((side, side), Image.Resampling.LANCZOS))
    ring = ImageDraw.Draw(face)
    ring.ellipse((1, 1, side - 2, side - 2), outline=(255, 255, 255, 255), width=max(2, side // 50))
    return face


def _glow(radius: int) -> Image:
    from PIL import Image, ImageOps

    light = ImageOps.invert(Image.radial_gradient("L")).resize((2 * radius, 2 * radius))
    mote = Image.new("RGBA", light.size, "#fff6da")
    mote.putalpha(light.point([max(0, round((value - 75) * 0.9)) for value in range(256)]))
    return mote
