"""The text over the picture: the prompt, the facts, a running time code, and SANDBOX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hailuo_mcp.sandbox.clips.camera import in_english
from hailuo_mcp.sandbox.clips.text import font, font_for, has_chinese, wrapped, writable
from hailuo_mcp.sandbox.job import Job

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

_MOST_LINES = 3
_SHADE = (10, 12, 24, 235)
"""Nearly opaque: a clip may start from a frame with the text of another."""


class Overlay:
    """Painted once; per frame only the time code and the bar change."""

    def __init__(self, task: Job, size: tuple[int, int]) -> None:
        """Lay out the caption for the size at which the clip is drawn."""
        self._task = task
        self._size = size
        self._unit = max(11, round(min(self._size) / 32))
        self._labels: dict[str, Image] = {}
        self._caption = self._paint_caption()
        self._mark = self._pill("SANDBOX")
        self._clock_font = font(self._unit, cjk=False)
        sample = self._time(0.0)
        self._clock = self._pill(sample)
        self._blank_clock = self._pill(" ", round(self._clock_font.getlength(sample)))

    def draw(self, view: Image, seconds: float, label: str, strength: float) -> None:
        """Write over one frame; a strength below 1 fades it, for frames that must stay pure."""
        from PIL import ImageDraw

        if strength <= 0.0:
            return
        width, height = self._size
        edge = self._unit
        self._put(view, self._caption, edge, height - self._caption.height - edge, strength)
        self._put(view, self._mark, edge, edge, strength)
        if label:
            if label not in self._labels:
                self._labels[label] = self._pill(label)
            pill = self._labels[label]
            below = edge + (self._mark.height + edge // 2 if height > width else 0)
            left = edge if height > width else edge + self._mark.width + edge // 2
            self._put(view, pill, left, below, strength)
        clock = self._blank_clock
        left = width - clock.width - edge
        self._put(view, clock, left, edge, strength)
        draw = ImageDraw.Draw(view)
        if strength >= 1.0:
            corner = (left + self._unit * 0.6, edge + clock.height / 2)
            draw.text(corner, self._time(seconds), font=self._clock_font, fill="white", anchor="lm")
            bar = round(width * min(1.0, seconds / self._task.duration))
            draw.rectangle((0, height - max(3, edge // 5), bar, height), fill=(255, 214, 102))

    def _time(self, seconds: float) -> str:
        frame = round(seconds * self._task.fps)
        whole, part = divmod(frame, self._task.fps)
        return f"{whole // 60:02d}:{whole % 60:02d}:{part:02d} / 00:{self._task.duration:02d}"

    @staticmethod
    def _put(view: Image, part: Image, left: int, top: int, strength: float) -> None:
        mask = part.getchannel("A")
        if strength < 1.0:
            mask = mask.point([round(value * strength) for value in range(256)])
        view.paste(part, (left, top), mask)

    def _pill(self, text: str, inner: int = 0) -> Image:
        from PIL import Image, ImageDraw

        chosen = font_for(text, self._unit)
        wide = (inner or round(chosen.getlength(text))) + round(self._unit * 1.2)
        high = round(self._unit * 1.7)
        pill = Image.new("RGBA", (wide, high))
        draw = ImageDraw.Draw(pill)
        draw.rounded_rectangle((0, 0, wide - 1, high - 1), radius=high // 3, fill=_SHADE)
        draw.text((wide / 2, high / 2), text, font=chosen, fill="white", anchor="mm")
        return pill

    def _paint_caption(self) -> Image:
        from PIL import Image, ImageDraw

        task, unit = self._task, self._unit
        title_size, small = round(unit * 1.25), round(unit * 0.85)
        inner = self._size[0] - 4 * unit
        prompt = task.prompt if has_chinese() else in_english(task.prompt)
        lines = wrapped(writable(prompt, title_size), title_size, inner, _MOST_LINES)
        facts = wrapped(self._facts(), small, inner, _MOST_LINES)
        lines = [line for line in lines if line]
        high = round(unit * 1.2 + len(lines) * title_size * 1.35 + len(facts) * small * 1.5)
        longest = max(
            [font_for(line, title_size).getlength(line) for line in lines]
            + [font_for(line, small).getlength(line) for line in facts]
        )
        panel = Image.new("RGBA", (round(longest) + 2 * unit, high))
        draw = ImageDraw.Draw(panel)
        draw.rounded_rectangle((0, 0, panel.width - 1, high - 1), radius=unit // 2, fill=_SHADE)
        top = unit * 0.6
        for line in lines:
            _write(draw, (unit, top), line, title_size, (255, 255, 255, 255))
            top += title_size * 1.35
        for line in facts:
            _write(draw, (unit, top), line, small, (255, 224, 160, 255))
            top += small * 1.5
        return panel

    def _facts(self) -> str:
        task = self._task
        size = f"{task.width}x{task.height}"
        parts = (task.model, task.mode, size, f"{task.duration} s", f"task {task.task_id}")
        return "  |  ".join(part for part in parts if part)


def _write(
    draw: ImageDraw,
    corner: tuple[float, float],
    text: str,
    size: int,
    fill: tuple[int, int, int, int],
) -> None:
    draw.text(corner, text, font=font_for(text, size), fill=fill, anchor="la")
