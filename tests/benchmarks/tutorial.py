"""A translator with attention as most tutorials write it, to measure the course's own against.

Bahdanau et al. 2015: the context vector depends on the decoder's last state and is part of its next input, so the
decoder advances word by word, in training too. At each step the attention looks at the state beside every encoder
state, through one linear layer; sentences are translated one at a time.

B batch · S words of the source · T words of the target · E embedding · H hidden · V vocabulary
"""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from helpers.data.text import BOS, EOS, PAD, is_token


class Encoder(nn.Module):
    def __init__(self, vocabulary, embedding, hidden):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, embedding, padding_idx=PAD)
        self.gru = nn.GRU(embedding, hidden, batch_first=True, bidirectional=True)
        self.linear = nn.Linear(2 * hidden, hidden)

    def forward(self, src):
        x = pack_padded_sequence(self.embed(src), is_token(src).sum(1), batch_first=True, enforce_sorted=False)
        outputs, last = self.gru(x)
        outputs, _ = pad_packed_sequence(outputs, batch_first=True, total_length=src.shape[1])
        return outputs, torch.tanh(self.linear(torch.cat([last[0], last[1]], 1)))  # (B, S, 2H), (B, H)


class Attention(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.energy = nn.Linear(3 * hidden, hidden)
        self.v = nn.Linear(hidden, 1, bias=False)

    def forward(self, state, outputs, mask):
        state = state[:, None].repeat(1, outputs.shape[1], 1)                      # (B, S, H)
        energy = torch.tanh(self.energy(torch.cat([state, outputs], 2)))           # (B, S, H)
        scores = self.v(energy).squeeze(2)                                         # (B, S)
        return scores.masked_fill(~mask, float("-inf")).softmax(1)


class Decoder(nn.Module):
    def __init__(self, vocabulary, embedding, hidden):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, embedding, padding_idx=PAD)
        self.attention = Attention(hidden)
        self.gru = nn.GRU(embedding + 2 * hidden, hidden, batch_first=True)
        self.logits = nn.Linear(3 * hidden + embedding, vocabulary)

    def forward(self, word, state, outputs, mask):
        x = self.embed(word)                                                       # (B, E)
        weights = self.attention(state, outputs, mask)                             # (B, S)
        context = torch.bmm(weights[:, None], outputs).squeeze(1)                  # (B, 2H)
        _, state = self.gru(torch.cat([x, context], 1)[:, None], state[None])
        state = state[0]                                                           # (B, H)
        return self.logits(torch.cat([state, context, x], 1)), state               # (B, V)


class TutorialSeq2Seq(nn.Module):
    """Trained by `translation_loss`, like the course's own."""

    def __init__(self, source, target, embedding, hidden):
        super().__init__()
        self.encoder = Encoder(len(source), embedding, hidden)
        self.decoder = Decoder(len(target), embedding, hidden)

    def forward(self, src, tgt):
        outputs, state = self.encoder(src)
        mask, steps = is_token(src), []
        for t in range(tgt.shape[1]):
            logits, state = self.decoder(tgt[:, t], state, outputs, mask)
            steps.append(logits)
        return torch.stack(steps, 1)                                               # (B, T, V)

    @torch.no_grad()
    def translate(self, src, limit):
        """One source (1, S) -> the words of its translation, up to the end mark or the limit: greedy search."""
        outputs, state = self.encoder(src)
        mask, words = is_token(src), [BOS]
        while len(words) <= limit and words[-1] != EOS:
            logits, state = self.decoder(torch.tensor(words[-1:]), state, outputs, mask)
            words.append(logits.argmax(1).item())
        return words[1:]
