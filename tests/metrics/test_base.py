"""Every metric says what it is, and an oracle that does not use its code checks it."""

import ast
from pathlib import Path

import pytest

from emotag.metrics.base import METRICS, OPTIONAL
from emotag.workflow.sources import closure

TESTS = Path(__file__).resolve().parents[1]
IMAGE, LIPS, FACE = "metrics/test_image.py", "metrics/test_lips.py", "metrics/test_face.py"
SYNC, SPEECH, COSTS = "metrics/test_syncnet.py", "stages/test_measure_speech.py", "report/test_costs.py"
ORACLES = {
    "psnr_head": (IMAGE, "test_psnr_counts_the_mask_alone"),
    "psnr_full": (IMAGE, "test_psnr_of_a_constant_difference"),
    "ssim_head": (IMAGE, "test_ssim_agrees_with_scikit_image"),
    "ssim_full": (IMAGE, "test_ssim_agrees_with_scikit_image"),
    "lpips_full": ("metrics/test_lpips.py", "test_equals_the_formula"),
    "lmd_px512": (LIPS, "test_lip_distance_ignores_translation"),
    "aue_l": ("metrics/test_action_units.py", "test_sum_of_mean_squares"),
    "aue_u": ("metrics/test_action_units.py", "test_sum_of_mean_squares"),
    "lip_aperture_corr": (LIPS, "test_correlations_are_those_of_scipy"),
    "lip_width_corr": (LIPS, "test_correlations_are_those_of_scipy"),
    "lip_aperture_gain": (LIPS, "test_gain_is_a_ratio_of_deviations"),
    "lip_closure_f1": (LIPS, "test_closures_by_hand"),
    "lip_best_lag": (LIPS, "test_lag_is_positive_when_the_video_is_late"),
    "sync_c": (SYNC, "test_scores_are_those_of_the_distances_one_by_one"),
    "sync_e": (SYNC, "test_scores_are_those_of_the_distances_one_by_one"),
    "sync_offset": (SYNC, "test_offset_of_a_late_video"),
    "blink_f1": (FACE, "test_blinks_of_drawn_lids_are_found"),
    "jitter_px512": (LIPS, "test_jitter_of_straight_motion_is_zero"),
    "floaters": ("metrics/test_artefacts.py", "test_floaters_are_counted_where_they_were_put"),
    "seam_share": ("metrics/test_artefacts.py", "test_seam_is_the_share_of_the_border_with_a_new_edge"),
    "emotion_agreement": ("metrics/test_emotion.py", "test_it_is_one_minus_the_total_variation"),
    "speaker_aperture_corr": (SPEECH, "test_late_clips_are_read_later"),
    "speaker_width_corr": (SPEECH, "test_sound_longer_than_the_clip_counts_where_both_are"),
    "speaker_lag": (SPEECH, "test_late_clips_are_read_later"),
    "preprocess_min": (COSTS, "test_minutes_and_peak_are_those_of_the_last_try"),
    "train_min": (COSTS, "test_minutes_and_peak_are_those_of_the_last_try"),
    "audio_ms": ("stages/test_speed.py", "test_first_run_is_not_counted"),
    "motion_ms": ("stages/test_speed.py", "test_first_run_is_not_counted"),
    "render_ms": ("stages/test_speed.py", "test_frames_are_counted_behind_the_warm_up"),
    "fps": (COSTS, "test_sizes_and_speed"),
    "peak_rss_mb": (COSTS, "test_minutes_and_peak_are_those_of_the_last_try"),
    "peak_vram_mb": (COSTS, "test_sizes_and_speed"),
    "gaussians": (COSTS, "test_sizes_and_speed"),
    "avatar_mb": (COSTS, "test_sizes_and_speed"),
    "undetected": (FACE, "test_pixels_are_those_of_512"),
}


def test_every_metric_has_an_oracle_and_no_oracle_is_of_none():
    assert set(ORACLES) == set(METRICS)


@pytest.mark.parametrize("name", ORACLES)
def test_oracle_is_there(name):
    file, function = ORACLES[name]
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_metric_says_what_it_is(metric):
    assert METRICS[metric.name] is metric and len(metric.definition) > 15
    # A direction, or a value to be near to; the number of Gaussians is neither good nor bad.
    assert metric.higher_is_better is not None or metric.ideal is not None or metric.name == "gaussians"
    assert not metric.definition.endswith(".")
    if "px512" in metric.name:
        assert metric.unit == "px" and "512" in metric.definition


@pytest.mark.parametrize("stage", ["measure", "measure_speech", "table"])
def test_a_changed_definition_makes_every_row_again(stage):
    assert any(part.startswith("emotag.metrics.base@") for part in closure(f"emotag.stages.{stage}"))


def test_optional_metrics_are_metrics():
    assert set(OPTIONAL) <= set(METRICS)
