"""Things drawn over a face: masks, microphones, hands, sheets, dark glasses, hair."""

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFilter

from vasa_jax.portrait import landmarks, resample

MOUTH, EYES = (
    ("mask", "microphone", "hand", "sheet"),
    ("hand_on_eye", "glasses", "hair"),
)
"""What covers which part."""

_JAW = (132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288)
_JAW_END, _CHEEKS, _BRIDGE = 361, (116, 345), (197, 195, 5)
_SKIN, _LIPS = (50, 280, 117, 346), (13, 14)
_CLOTHS = (
    (235, 238, 240),
    (150, 190, 220),
    (30, 30, 34),
    (200, 60, 70),
    (90, 140, 100),
)


class Face:
    """A face to draw upon.

    Args:
        image: uint8 `[H, W, 3]`.
        points: `[468, 3]` landmarks in it.
        unit: pixels of a head unit.
        generator: source of chance.
    """

    def __init__(self, image, points, unit, generator):
        self._image, self._unit, self._generator = image, unit, generator
        self._points = points[:, :2].astype(np.float64)
        self._mouth = self._points[list(_LIPS)].mean(axis=0)
        corners = np.array(landmarks.EYE_CORNERS)
        self._eyes = self._points[corners].mean(axis=1)

    def draw(self, kind: str) -> np.ndarray:
        """Return a new picture with one of `MOUTH` or `EYES` drawn, uint8."""
        self._drawn = PIL.Image.fromarray(self._image)
        getattr(self, f"_{kind}")()
        return np.asarray(self._drawn)

    def _mask(self):
        bridge = self._points[self._generator.choice(_BRIDGE)]
        right, left = ((self._points[one] + bridge) / 2 for one in _CHEEKS)
        around = [*self._points[[*_JAW, _JAW_END]], left, bridge, right]
        self._fill(self._generator.choice(_CLOTHS), polygon=around)

    def _microphone(self):
        grey = self._generator.uniform(10, 90) + self._generator.uniform(0, 15, 3)
        middle = self._mouth + self._near(0.08) + [0, 0.1 * self._unit]
        radius = self._unit * self._generator.uniform(0.24, 0.36)
        away = np.array([self._generator.uniform(-0.5, 0.5), 1.5]) * self._unit
        self._fill(0.7 * grey + 20, lines=[(middle, middle + away, 0.8 * radius)])
        self._fill(grey, lines=[(middle, middle, 2 * radius)])

    def _hand(self):
        self._fingers(self._mouth + self._near(0.06))

    def _hand_on_eye(self):
        self._fingers(self._generator.choice(self._eyes) + self._near(0.05))

    def _fingers(self, middle):
        """Lay three or four fingers over a place, with dark lines between them."""
        skin = self._skin() * self._generator.uniform(0.75, 1.15)
        along = resample.rotation_2d(self._generator.uniform(-0.9, 0.9)) @ [0, 1.0]
        across, count = np.array([-along[1], along[0]]), self._generator.integers(3, 5)
        width = self._unit * self._generator.uniform(0.15, 0.2)
        for finger in range(count):
            base = middle + across * (finger - (count - 1) / 2) * width
            tip = base - along * self._unit * self._generator.uniform(0.3, 0.5)
            end = base + along * self._unit * 1.2
            self._fill(
                skin * self._generator.uniform(0.92, 1.05), lines=[(tip, end, width)]
            )
            edge = across * width / 2
            self._fill(0.55 * skin, lines=[(tip + edge, end + edge, 0.06 * width)])

    def _sheet(self):
        middle = self._mouth + self._near(0.1) + [0, 0.15 * self._unit]
        half = self._unit * self._generator.uniform((0.3, 0.3), (0.6, 0.5))
        turn = resample.rotation_2d(self._generator.uniform(-0.4, 0.4))
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
        self._fill(
            self._generator.uniform(0, 255, 3), polygon=[*(corners @ turn.T + middle)]
        )

    def _glasses(self):
        right, left = self._eyes
        apart = np.linalg.norm(left - right)
        grey = self._generator.uniform(5, 60) + self._generator.uniform(0, 20, 3)
        height, inner = apart * self._generator.uniform(0.6, 0.8), (left - right) * 0.12
        lenses = [(eye - inner, eye + inner, height) for eye in (right, left)]
        self._fill(grey, lines=[*lenses, (right, left, 0.08 * apart)])

    def _hair(self):
        colour = self._generator.uniform(10, 120) * self._generator.uniform(
            (1, 0.7, 0.5), (1, 1, 0.9)
        )
        eye = self._generator.choice(self._eyes)
        for _ in range(14):
            base = eye + [self._generator.normal(0, 0.16) * self._unit, 0]
            top = [self._generator.normal(0, 0.2) * self._unit, -self._unit]
            end = base + [0, 0.35 * self._unit]
            lock = colour * self._generator.uniform(0.7, 1.3)
            self._fill(lock, lines=[(base + top, end, 0.08 * self._unit)])

    def _near(self, spread):
        return self._generator.normal(0, spread * self._unit, 2)

    def _skin(self):
        """Return the mean colour of the cheeks."""
        last = np.array(self._image.shape[1::-1]) - 1
        x, y = np.clip(self._points[list(_SKIN)], 0, last).astype(int).T
        return self._image[y, x].mean(axis=0)

    def _fill(self, colour, polygon=(), lines=()):
        """Fill a polygon, or lines (from, to, width) with round ends, unevenly lit."""
        shape = PIL.Image.new("L", self._drawn.size)
        drawing = PIL.ImageDraw.Draw(shape)
        if len(polygon):
            drawing.polygon([tuple(one) for one in polygon], fill=255)
        for first, second, width in lines:
            drawing.line([*first, *second], fill=255, width=max(1, round(width)))
            for x, y in (first, second):
                half = width / 2
                drawing.ellipse([x - half, y - half, x + half, y + half], fill=255)
        soft = shape.filter(PIL.ImageFilter.GaussianBlur(1))
        rows, columns = np.mgrid[: shape.size[1], : shape.size[0]] / max(shape.size)
        angle = self._generator.uniform(0, 2 * np.pi)
        ramp = np.cos(angle) * columns + np.sin(angle) * rows
        light = 1 + self._generator.uniform(-0.5, 0.5) * (ramp - ramp.mean())
        grain = self._generator.normal(0, self._generator.uniform(0, 4), light.shape)
        filled = np.asarray(colour) * light[..., None] + grain[..., None]
        filled = PIL.Image.fromarray(np.clip(filled, 0, 255).astype(np.uint8))
        self._drawn.paste(filled, mask=soft)
