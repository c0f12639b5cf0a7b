import numpy as np

from emotag.audio.prosody import FLOOR_DB, prosody


def test_pitch_and_energy_of_a_tone_and_of_silence():
    time = np.arange(2 * 16000) / 16000
    tone = sum(np.sin(2 * np.pi * 150 * n * time) / n for n in range(1, 6)) * 0.2
    samples = np.where(time < 1, tone, 0).astype(np.float32)
    found = prosody(samples, 100)
    assert found.log_f0.shape == found.voiced.shape == found.energy.shape == (100,)
    np.testing.assert_allclose(np.exp(found.log_f0[5:45]), 150, rtol=0.01)
    assert found.voiced[5:45].all() and not found.voiced[60:].any() and not found.log_f0[60:].any()
    level = 20 * np.log10(np.sqrt((tone**2).mean()))
    np.testing.assert_allclose(found.energy[5:45], level, atol=0.3)
    np.testing.assert_allclose(found.energy[60:], FLOOR_DB)


def test_sound_is_cut_or_filled_to_the_tokens():
    assert len(prosody(np.zeros(3000, np.float32), 30).energy) == 30
    assert len(prosody(np.zeros(30000, np.float32), 30).energy) == 30
