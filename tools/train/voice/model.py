"""The pocket voice: text encoder, durations, melody and decoder, each bent to a voice by the style vector.

StyleTTS2's division of labour (Li et al., 2023) in small and streamable: the text side looks at the whole
phrase once, melody and decoder are stacks of plain convolutions whose look-around is a few frames, so that
windows of a phrase can be made one after the other and give the same sound as the whole. No normalisation
over time, no randomness.
"""

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from tools.train.voice.marks import Marks
from tools.train.voice.source import (
    HOP_SAMPLES,
    LEFT_FRAMES,
    LOWEST_HZ,
    RIGHT_FRAMES,
    SourceFilter,
    frame_source,
)
from tools.train.voice.spectrum import ORDER

F0_CENTRE, F0_SPREAD = 4.9, 0.35  # log Hz: what the F0 numbers inside the model are measured in
ENERGY_CENTRE, ENERGY_SPREAD = -4.0, 2.0  # log of RMS
SEMITONE = math.log(2) / 12  # of log F0
HIGHEST_HZ = 700.0
_CENTRE_HZ = math.exp(F0_CENTRE)
_POSITION = 4
_MELODY = 3
_DECODER_DILATIONS = (1, 1, 2, 1, 2, 1)
_MELODY_DILATIONS = (1, 2, 4)
_DECODER_REACH = sum(_DECODER_DILATIONS)  # frames on either side
_MELODY_REACH = 2 * sum(_MELODY_DILATIONS)


@dataclass(frozen=True)
class Sizes:
    """Widths of the network."""

    symbols: int
    text: int = 160
    style: int = 64
    melody: int = 160
    decoder: int = 256


class Mix(nn.Module):
    """A convolution of width 1, as the matrix product that it is: several times faster to train on a CPU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = inputs**-0.5
        self.weight = nn.Parameter(torch.empty(outputs, inputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(outputs, 1))

    def forward(self, x: Tensor) -> Tensor:
        """[batch, inputs, length] -> [batch, outputs, length]."""
        return torch.matmul(self.weight, x) + self.bias


class Bent(nn.Module):
    """A layer that the style bends. `bends` are the sizes of what it makes of the style, [batch, size, 1] each."""

    bends: tuple[int, ...]
    given: tuple[Tensor, ...] | None = None  # the same, where it was made elsewhere

    def bend(self, style: Tensor) -> tuple[Tensor, ...]:
        """What depends on nothing but the style [batch, style]."""
        return self.made(style) if self.given is None else self.given

    def made(self, style: Tensor) -> tuple[Tensor, ...]:
        """See `bend`."""
        raise NotImplementedError


class Block(Bent):
    """Residual pair of convolutions, the first one scaled and shifted per channel by the style (FiLM)."""

    def __init__(self, width: int, style: int, kernel: int, dilation: int = 1) -> None:
        super().__init__()
        self.bends = (width, width)
        self.look = nn.Conv1d(width, width, kernel, padding=dilation * (kernel // 2), dilation=dilation)
        self.style = nn.Linear(style, 2 * width)
        self.mix = Mix(width, width)
        nn.init.normal_(self.style.weight, std=0.02)
        nn.init.zeros_(self.style.bias)
        nn.init.normal_(self.mix.weight, std=0.02)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """[batch, width, length], [batch, style] -> [batch, width, length]."""
        scale, shift = self.bend(style)
        return x + self.mix(functional.leaky_relu(self.look(x) * scale + shift, 0.1))

    def made(self, style: Tensor) -> tuple[Tensor, ...]:
        """By how much each channel is scaled, and how far it is shifted."""
        scale, shift = self.style(style).unsqueeze(2).split(self.bends[0], dim=1)
        return 1 + scale, shift


class TextEncoder(nn.Module):
    """Symbols to one vector each, with the whole phrase in view."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.symbols = nn.Embedding(sizes.symbols, sizes.text)
        self.marks = Marks(sizes.symbols, sizes.text)
        self.blocks = nn.ModuleList([Block(sizes.text, sizes.style, 5) for _ in range(3)])
        self.both_ways = nn.LSTM(sizes.text, sizes.text // 2, batch_first=True, bidirectional=True)

    def forward(self, ids: Tensor, style: Tensor, lengths: Tensor | None = None) -> Tensor:
        """[batch, tokens] -> [batch, width, tokens]. `lengths` (training only) hides the padding from the LSTM."""
        x = (self.symbols(ids) + self.marks(ids)).transpose(1, 2)
        mask = None
        if lengths is not None:
            mask = (torch.arange(ids.shape[1])[None, :] < lengths[:, None]).unsqueeze(1).to(x.dtype)
            x = x * mask
        for block in self.blocks:
            x = block(x, style)
            if mask is not None:
                x = x * mask
        return x + self._recur(x.transpose(1, 2), lengths).transpose(1, 2)

    def _recur(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        if lengths is None:
            return self.both_ways(x)[0]
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(self.both_ways(packed)[0], batch_first=True, total_length=x.shape[1])[0]


class Durations(nn.Module):
    """How long each symbol lasts: log(1 + frames) at speed 1."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([Block(sizes.text, sizes.style, 3)])
        self.out = Mix(sizes.text, 1)

    def forward(self, text: Tensor, style: Tensor) -> Tensor:
        """[batch, width, tokens] -> [batch, tokens]."""
        for block in self.blocks:
            text = block(text, style)
        return self.out(text).squeeze(1)


class Melody(nn.Module):
    """F0, energy and voicing of each frame."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.enter = Mix(sizes.text + _POSITION, sizes.melody)
        self.blocks = nn.ModuleList([Block(sizes.melody, sizes.style, 5, d) for d in _MELODY_DILATIONS])
        self.out = Mix(sizes.melody, _MELODY)

    def forward(self, frames: Tensor, style: Tensor) -> Tensor:
        """[batch, text + 4, frames] -> [batch, 3, frames]: scaled log F0, scaled log energy, voicing before sigmoid."""
        x = self.enter(frames)
        for block in self.blocks:
            x = block(x, style)
        return self.out(functional.leaky_relu(x, 0.1))


class Decoder(Bent):
    """Frames to the two filters; `SourceFilter` makes them sound.

    `level` is not trained: the export sets it so that all voices are equally loud (log gain = style · level).
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.enter = Mix(sizes.text + _POSITION + _MELODY, sizes.decoder)
        self.blocks = nn.ModuleList([Block(sizes.decoder, sizes.style, 3, d) for d in _DECODER_DILATIONS])
        self.out = Mix(sizes.decoder, 2 * ORDER)
        self.register_buffer("level", torch.zeros(sizes.style), persistent=False)
        self.bends = (1,)

    def forward(self, frames: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, channels, frames] -> mel-cepstra [batch, frames, ORDER] of the pulse and the noise filter."""
        x = self.enter(frames)
        for block in self.blocks:
            x = block(x, style)
        pulse, noise = self.out(functional.leaky_relu(x, 0.1)).transpose(1, 2).split(ORDER, dim=2)
        louder = functional.pad(self.bend(style)[0], (0, ORDER - 1))
        return pulse + louder, noise + louder

    def made(self, style: Tensor) -> tuple[Tensor, ...]:
        """How much louder the voice is, log gain."""
        return ((style @ cast(Tensor, self.level)).reshape(-1, 1, 1),)


class Voice(nn.Module):
    """All of it. `forward` is what runs in the toy; training calls the parts."""

    def __init__(self, sizes: Sizes, voices: int) -> None:
        super().__init__()
        self.styles = nn.Embedding(voices, sizes.style)
        self.text = TextEncoder(sizes)
        self.durations = Durations(sizes)
        self.melody = Melody(sizes)
        self.decoder = Decoder(sizes)
        self.source = SourceFilter()

    def read(self, ids: Tensor, style: Tensor, speed: Tensor) -> tuple[Tensor, Tensor]:
        """The text side, for one phrase.

        `ids` [1, tokens], `style` [1, style], `speed` [1]. Returns the frames of each token [tokens], and what the
        other side reads of each [tokens, width].
        """
        text = self.text(ids, style)
        lengths = torch.exp(self.durations(text, style)) - 1
        durations = torch.round(torch.clamp(lengths / speed, min=0.0)).long()[0]
        durations = torch.cat((torch.clamp(durations[:1], min=1), durations[1:]))
        return durations, text[0].T

    def sound(
        self, durations: Tensor, text: Tensor, style: Tensor, pitch: Tensor, span: Tensor, phase: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The other side, for a whole phrase or a window of it: melody, filters, samples.

        `durations` and `text` are `read`'s, `style` [1, style], `pitch` [1] in semitones above the style's own,
        `span` [2] the window's first frame and the one behind its last, `phase` [1] where in their period the pulses
        are at the first one, in cycles (0 at the phrase's start). Returns samples [frames * HOP_SAMPLES], and the phase
        at the frame behind them [1]. Frames around the window are looked at as far as they can be heard in it.
        """
        window = Stretch(span[0], span[1], durations.sum())
        excited = window.wider(LEFT_FRAMES, RIGHT_FRAMES)
        decoded = window.wider(LEFT_FRAMES - 1 + _DECODER_REACH, RIGHT_FRAMES - 1 + _DECODER_REACH)
        frames, f0_hz, voiced = self.sing(durations, text, style, pitch, decoded)
        rows = frame_source(f0_hz, voiced, window.first - decoded.first, phase)
        behind = torch.minimum(window.end, decoded.end - 1) - decoded.first
        pulse, noise = (decoded.cut(x, excited, 1) for x in self.decoder(frames, style))
        samples = self.source(pulse, noise, decoded.cut(rows, excited), excited.first)
        return excited.cut(samples, window, 1, HOP_SAMPLES)[0], rows[0, 4].index_select(0, behind.reshape(1))

    def sing(
        self, durations: Tensor, text: Tensor, style: Tensor, pitch: Tensor, part: "Stretch"
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What the decoder reads of each frame of a stretch [1, channels, frames], F0 in Hz and voicing [1, frames]."""
        wider = part.wider(_MELODY_REACH, _MELODY_REACH)
        frames = _frames(durations, text, wider)
        melody = wider.cut(self.melody(frames, style), part)
        f0 = melody[:, 0] + pitch * (SEMITONE / F0_SPREAD)
        f0_hz = (torch.exp(f0 * F0_SPREAD) * _CENTRE_HZ).clamp(LOWEST_HZ, HIGHEST_HZ)
        voiced = (melody[:, 2] > 0).to(melody.dtype)
        conditions = torch.stack((f0, melody[:, 1], voiced), dim=1)
        return torch.cat((wider.cut(frames, part), conditions), dim=1), f0_hz, voiced

    def forward(self, ids: Tensor, style: Tensor, speed: Tensor, pitch: Tensor) -> tuple[Tensor, Tensor]:
        """The whole phrase: samples at 16 kHz and the frames of each token; reads what `read` and `sound` do."""
        durations, text = self.read(ids, style, speed)
        total = durations.sum()
        span = torch.stack((torch.zeros_like(total), total))
        return self.sound(durations, text, style, pitch, span, torch.zeros(1))[0], durations


@dataclass(frozen=True)
class Stretch:
    """Some frames of a phrase: the first, the one behind the last, and how many the phrase has, each a Tensor []."""

    first: Tensor
    end: Tensor
    total: Tensor

    def wider(self, before: int, after: int) -> "Stretch":
        """The same with frames before and after it, as far as the phrase has them."""
        first = (self.first - before).clamp(min=0)
        return Stretch(first, torch.minimum(self.end + after, self.total), self.total)

    def cut(self, x: Tensor, part: "Stretch", dim: int = 2, scale: int = 1) -> Tensor:
        """What of `x`, which holds this stretch along `dim`, `scale` to a frame, is of a part of it."""
        first, end = ((edge - self.first) * scale for edge in (part.first, part.end))
        return x[:, first:end] if dim == 1 else x[:, :, first:end]


def _frames(durations: Tensor, text: Tensor, stretch: Stretch) -> Tensor:
    """What melody and decoder read of each frame of a stretch, [1, width + 4, frames]: its token, and where in it."""
    number = torch.arange(stretch.first, stretch.end)
    ends = torch.cumsum(durations, 0)
    owner = (number.unsqueeze(1) >= ends.unsqueeze(0)).long().sum(1)
    own = durations[owner].to(text.dtype)
    since = (number - (ends - durations)[owner]).to(text.dtype) + 0.5
    return torch.cat((text[owner].T, position(since, own)), dim=0).unsqueeze(0)


def position(since: Tensor, own: Tensor) -> Tensor:
    """Where a frame lies in its token, [4, frames]: share passed, length, frames since the start and to the end.

    `since` [frames] counts frames from the token's start to the middle of the frame, `own` [frames] the token's.
    """
    return torch.stack(
        (since / own, own * 0.1, (since * 0.2).clamp(max=2.0), ((own - since) * 0.2).clamp(max=2.0))
    )
