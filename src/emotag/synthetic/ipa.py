"""IPA to the phones that have a viseme, and the phones of a text by espeak-ng, called as a program where it is installed."""

import shutil
import subprocess
import unicodedata

from emotag.errors import AssetMissing, ConfigError

# What has no viseme of its own takes the nearest; "" makes no mouth shape.
PHONES = {
    "p": "P", "b": "B", "m": "M", "f": "F", "v": "V", "w": "W", "ʍ": "W", "ɥ": "W", "r": "R", "ɹ": "R", "ɾ": "D",
    "ʁ": "G", "ʀ": "G", "x": "K", "ç": "Y", "ɣ": "G", "χ": "K", "ʃ": "SH", "ʂ": "SH", "ɕ": "SH", "ʒ": "ZH", "ʐ": "ZH",
    "ʑ": "ZH", "s": "S", "z": "Z", "t": "T", "d": "D", "n": "N", "ɲ": "N", "ŋ": "NG", "l": "L", "ɫ": "L", "ʎ": "L",
    "θ": "TH", "ð": "DH", "β": "B", "ʋ": "V", "k": "K", "c": "K", "ɡ": "G", "g": "G", "ɟ": "G", "h": "HH", "ɦ": "HH",
    "j": "Y", "ʝ": "Y", "a": "AE", "æ": "AE", "ɑ": "AA", "ɒ": "AO", "ɐ": "AH", "ʌ": "AH", "ə": "AH", "ɜ": "ER",
    "ɚ": "ER", "ɔ": "AO", "o": "OW", "ɛ": "EH", "e": "EH", "ɪ": "IH", "i": "IY", "ɨ": "IH", "y": "UW", "ʏ": "UH",
    "ø": "UH", "œ": "ER", "ɵ": "UH", "ɤ": "AH", "ʊ": "UH", "u": "UW", "ᵻ": "IH", "ɬ": "L", "ʔ": "",
}  # fmt: skip
SECONDS = 60


def phones_of(ipa: str) -> list[str]:
    """Phones of IPA letters; marks of length, stress and tone are passed over."""
    letters = (PHONES.get(letter, "") for letter in unicodedata.normalize("NFD", ipa))
    return [phone for phone in letters if phone]


def phones_of_text(text: str, language: str) -> list[str]:
    """Phones of a text in a language espeak-ng knows ("en", "de", …), without silences.

    Raises:
        AssetMissing: espeak-ng is not installed. ConfigError: it cannot read the text.
    """
    program = shutil.which("espeak-ng")
    if program is None:
        raise AssetMissing(
            "espeak-ng: not installed, but a transcript is to be read; install it, or leave the transcript out (phones are "
            "then recognised from the sound alone)"
        )
    called = [program, "-q", "--ipa", "-v", language, "--stdin"]
    done = subprocess.run(called, input=text, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode or not done.stdout.strip():
        raise ConfigError(
            f"espeak-ng -v {language}: {done.stderr.strip() or 'gave no phones'}; check language and transcript"
        )
    return phones_of(done.stdout)
