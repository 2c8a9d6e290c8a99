"""The symbols a voice of our own reads: ARPAbet phonemes, vowels with their stress, and the marks between words.

The order is the id: it must not change under a trained model (models/*/voice/model.yaml repeats the table).
"""

PAD = "$"  # stands at both ends of a phrase, as in Kokoro's alphabet
SPACE = " "
PUNCTUATION = (",", ".", "?", "!")
VOWELS = ("AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW")
CONSONANTS = tuple("B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH".split())
TOKENS: tuple[str, ...] = (
    (PAD, SPACE) + PUNCTUATION + tuple(vowel + stress for vowel in VOWELS for stress in "01") + CONSONANTS
)
