"""What a metric declares about itself, so that tables never guess a unit or a direction."""

from dataclasses import dataclass

# Metrics in pixels are those of frames brought to this width, whatever size was rendered.
REFERENCE_PX = 512
# Off by default, because their networks come from outside.
OPTIONAL = ("lpips_full", "sync_c", "sync_e", "sync_offset", "emotion_agreement")


@dataclass(frozen=True)
class Metric:
    """`definition` is printed under every table; `higher_is_better` None means "nearer to `ideal`"."""

    name: str
    unit: str
    higher_is_better: bool | None
    definition: str
    ideal: float | None = None

    def heading(self) -> str:
        """Name, direction and unit, as a table's column is headed."""
        arrow = {True: " ↑", False: " ↓", None: f" → {self.ideal:g}" if self.ideal is not None else ""}
        return f"{self.name}{arrow[self.higher_is_better]}{f' ({self.unit})' if self.unit else ''}"


METRICS = {
    metric.name: metric
    for metric in (
        Metric("psnr_head", "dB", True, "mean over frames of -10 log10 of the MSE over RGB 0..1 of the pixels of the ground truth's head mask (skin, hair, mouth, eyes, neck), decoded mp4 at the rendered size"),
        Metric("psnr_full", "dB", True, "mean over frames of -10 log10 of the MSE over RGB 0..1 of all pixels, decoded mp4 at the rendered size"),
        Metric("ssim_head", "", True, "mean over frames and head-mask pixels of the SSIM map of the luma, Gaussian window 11x11 sigma 1.5, K1 .01, K2 .03, edges reflected"),
        Metric("ssim_full", "", True, "as ssim_head over all pixels"),
        Metric("lpips_full", "", False, "mean over frames of LPIPS v0.1 with AlexNet of the whole decoded frame, RGB in -1..1, at the rendered size"),
        Metric("lmd_px512", "px", False, "mean distance of the 20 lip points (iBUG 49-68 taken from the 478-point mesh), each frame's set centred on its own mean, pixels at 512"),
        Metric("aue_l", "", False, "sum over AU10,12,14,15,17,20,23,25,26 of the mean squared difference of intensities 0..5, action units of the frozen subject fitted to the detected landmarks"),
        Metric("aue_u", "", False, "as aue_l over AU01,02,04,05,06,07,09,45"),
        Metric("lip_aperture_corr", "", True, "Pearson correlation over frames of the lip aperture (mean of five inner-lip gaps over the outer-eye distance) at lag 0"),
        Metric("lip_width_corr", "", True, "Pearson correlation over frames of the mouth-corner distance over the outer-eye distance at lag 0"),
        Metric("lip_aperture_gain", "", None, "standard deviation of the lip aperture over that of the ground truth", 1.0),
        Metric("lip_closure_f1", "", True, "F1 of closed-lip frames (aperture under the ground truth's 5th percentile + .2 of its 5-95 range), one frame of tolerance"),
        Metric("lip_best_lag", "frames", None, "lag of -8..8 frames at which the aperture correlation peaks, + = video late", 0.0),
        Metric("sync_c", "", True, "SyncNet v2 confidence (LSE-C): median minus minimum over offsets of -15..15 frames of the mean distance of lips and sound, faces cut by the mesh's box"),
        Metric("sync_e", "", False, "SyncNet v2 distance (LSE-D, Sync-E): that minimum"),
        Metric("sync_offset", "frames", None, "offset at which it lies, + = video late", 0.0),
        Metric("blink_f1", "", True, "F1 of blinks (eye opening under .6 of the clip's median), matched within 3 frames"),
        Metric("jitter_px512", "px", False, "mean norm of the second difference over time of the 51 inner landmarks, pixels at 512"),
        Metric("floaters", "per frame", False, "mean over frames of the number of connected patches of at least 20 px, further than 16 px from the ground truth's head mask, whose RGB 0..1 is off by more than .2 RMS; pixels at 512"),
        Metric("seam_share", "", False, "share of the pixels within 3 px of the border of the ground truth's head mask at which the luma's gradient is stronger by more than .1 than any of the ground truth within 5 px; pixels at 512"),
        Metric("emotion_agreement", "", True, "mean over frames of the overlap (sum of minima) of the 7 emotions' probabilities with the ground truth's, by face-api's expression network, which is not the teacher, on tight face crops"),
        Metric("speaker_aperture_corr", "", True, "Pearson correlation over frames of the lip aperture (over the outer-eye distance) with that of the person whose speech is heard, at lag 0, their clip's own offset taken off"),
        Metric("speaker_width_corr", "", True, "as speaker_aperture_corr of the mouth-corner distance"),
        Metric("speaker_lag", "frames", None, "lag of -8..8 frames at which speaker_aperture_corr peaks, + = video late", 0.0),
        Metric("preprocess_min", "min", False, "wall time of the stages that make an identity and the clip it is adapted on ready (crop to geometry, plate), on the machine of the run"),
        Metric("train_min", "min", False, "wall time of stage adapt alone, without preprocessing and pretraining, on the machine of the run"),
        Metric("audio_ms", "ms", False, "speech features of the whole driving audio, once a sequence, on the machine of the run"),
        Metric("motion_ms", "ms", False, "motion network per frame, whole sequence at once, on the machine of the run"),
        Metric("render_ms", "ms", False, "deformation and rendering per frame without plate and coding, after 5 frames of warm-up, on the machine of the run"),
        Metric("fps", "1/s", True, "1000 over motion_ms + render_ms"),
        Metric("peak_rss_mb", "MB", False, "greatest resident memory of any process of an identity's own stages"),
        Metric("peak_vram_mb", "MB", False, "greatest GPU memory of torch while motion and pictures are timed"),
        Metric("gaussians", "", None, "Gaussians of the avatar"),
        Metric("avatar_mb", "MB", False, "size of avatar.safetensors, networks included"),
        Metric("undetected", "frames", False, "frames in which the landmark detector found no face (scored with the mean mouth)"),
    )
}  # fmt: skip
