# The variants of data/variants.yaml: what differs from the product is made again below results/variants, the rest is shared.


use rule prior as prior_of_variant with:
    output:
        "results/variants/{model}/prior/{corpus}/{left_out}/prior.safetensors",
    log:
        "results/variants/{model}/logs/pretrain/{corpus}@{left_out}.log",
    benchmark:
        "results/variants/{model}/benchmarks/pretrain/{corpus}@{left_out}@shared.jsonl"
    params:
        state="results/variants/{model}/state/pretrain/{corpus}/{left_out}",
        config=MODELS.stage_config("pretrain"),
        code=stage_code("pretrain", METHOD),


use rule rendered_prior as rendered_prior_of_variant with:
    input:
        **RENDERED_INPUTS,
        start=lambda w: f"{MODELS.root(w.model, 'pretrain')}/{PLAN.priors.first_phase(w).removeprefix('results/')}",
    output:
        "results/variants/{model}/prior/{corpus}/{left_out}/rendered.safetensors",
    log:
        "results/variants/{model}/logs/pretrain_rendered/{corpus}@{left_out}.log",
    benchmark:
        "results/variants/{model}/benchmarks/pretrain_rendered/{corpus}@{left_out}@shared.jsonl"
    params:
        people=lambda w: PLAN.priors.people(w),
        clips=lambda w: PLAN.priors.clips(w),
        state="results/variants/{model}/state/pretrain_rendered/{corpus}/{left_out}",
        config=MODELS.stage_config("pretrain.rendered"),
        code=stage_code("pretrain_rendered", METHOD),


use rule adapt as adapt_variant with:
    input:
        head=PLAN.head,
        subject="results/identities/{identity}/subject.safetensors",
        identity="results/identities/{identity}/identity.safetensors",
        geometry="results/identities/{identity}/geometry.safetensors",
        prior=lambda w: MODELS.prior(
            w.model, PLAN.priors.of(w.identity), PLAN.priors.trained(w.identity)
        ),
        articulation=ARTICULATION,
        tracks=lambda w: PLAN.adapt_file(w, "tracks.safetensors"),
        action_units=lambda w: PLAN.adapt_file(w, "action_units.safetensors"),
        sync=lambda w: PLAN.adapt_file(w, "sync.json"),
        emotion=lambda w: PLAN.adapt_file(w, "emotion.safetensors"),
        speech=lambda w: PLAN.adapt_file(w, "speech.safetensors"),
        crop=lambda w: PLAN.adapt_file(w, "crop.mp4"),
        alpha=lambda w: PLAN.adapt_file(w, "alpha.mkv"),
        labels=lambda w: PLAN.adapt_file(w, "labels.mkv"),
    output:
        "results/variants/{model}/identities/{identity}/avatar.safetensors",
    log:
        "results/variants/{model}/logs/adapt/{identity}.log",
    benchmark:
        "results/variants/{model}/benchmarks/adapt/{identity}.jsonl"
    params:
        state="results/variants/{model}/state/adapt/{identity}",
        config=MODELS.stage_config("adapt"),
        code=stage_code("adapt", METHOD),


use rule refine as refine_variant with:
    input:
        head=PLAN.head,
        subject="results/identities/{identity}/subject.safetensors",
        avatar="results/variants/{model}/identities/{identity}/avatar.safetensors",
        tracks="results/identities/{identity}/{clip}/tracks.safetensors",
        crop="results/clips/{clip}/crop.mp4",
        labels="results/clips/{clip}/labels.mkv",
        plate="results/clips/{clip}/plate.mp4",
    output:
        "results/variants/{model}/identities/{identity}/{clip}/refined.safetensors",
    log:
        "results/variants/{model}/logs/refine/{identity}@{clip}.log",
    benchmark:
        "results/variants/{model}/benchmarks/refine/{identity}@{clip}.jsonl"


use rule drive as drive_variant with:
    input:
        avatar="results/variants/{model}/identities/{identity}/avatar.safetensors",
        subject="results/identities/{identity}/subject.safetensors",
        identity="results/identities/{identity}/identity.safetensors",
        adapt_tracks=lambda w: PLAN.adapt_file(w, "tracks.safetensors"),
        adapt_action_units=lambda w: PLAN.adapt_file(w, "action_units.safetensors"),
        adapt_speech=lambda w: PLAN.adapt_file(w, "speech.safetensors"),
        adapt_sync=lambda w: PLAN.adapt_file(w, "sync.json"),
        tracks=PLAN.refined_file,
        action_units=lambda w: PLAN.cue_file(w, "action_units.safetensors"),
        sync=lambda w: PLAN.cue_file(w, "sync.json"),
        speech=PLAN.driving_speech,
        calm=PLAN.calm_speech,
    output:
        "results/variants/{model}/identities/{identity}/drives/{drive}/avatar/motion.safetensors",
    log:
        "results/variants/{model}/logs/drive/{identity}@{drive}.log",
    benchmark:
        "results/variants/{model}/benchmarks/drive/{identity}@{drive}.jsonl"
    wildcard_constraints:
        drive=r"(self|audio)-[A-Za-z0-9][A-Za-z0-9_-]*",


use rule render_variant as render_model with:
    input:
        head=PLAN.head,
        subject="results/identities/{identity}/subject.safetensors",
        avatar="results/variants/{model}/identities/{identity}/avatar.safetensors",
        motion="results/variants/{model}/identities/{identity}/drives/{drive}/{variant}/motion.safetensors",
        plate=lambda w: PLAN.cue_file(w, "plate.mp4"),
        audio=PLAN.driving_audio,
    output:
        video="results/variants/{model}/identities/{identity}/drives/{drive}/{variant}/video.mp4",
        sidecar="results/variants/{model}/identities/{identity}/drives/{drive}/{variant}/sidecar.json",
    log:
        "results/variants/{model}/logs/render/{identity}@{drive}@{variant}.log",
    benchmark:
        "results/variants/{model}/benchmarks/render/{identity}@{drive}@{variant}.jsonl"


# The truth and its frames are the product's: they are the same for every variant of a drive.
use rule measure as measure_variant with:
    input:
        truth="results/identities/{identity}/drives/{drive}/truth.mp4",
        videos=[
            "results/variants/{model}/identities/{identity}/drives/{drive}/avatar/video.mp4"
        ],
        labels=lambda w: PLAN.cue_file(w, "labels.mkv"),
        head=PLAN.head,
        subject="results/identities/{identity}/subject.safetensors",
        motion="results/identities/{identity}/drives/{drive}/avatar/motion.safetensors",
        lpips=metric_files(CONFIG, ASSETS, "lpips"),
        syncnet=metric_files(CONFIG, ASSETS, "syncnet"),
        emotion=metric_files(CONFIG, ASSETS, "emotion_agreement"),
    output:
        "results/variants/{model}/identities/{identity}/drives/{drive}/metrics.parquet",
    log:
        "results/variants/{model}/logs/measure/{identity}@{drive}.log",
    benchmark:
        "results/variants/{model}/benchmarks/measure/{identity}@{drive}.jsonl"
    wildcard_constraints:
        model="|".join([*MODELS.variants, *(method.name for method in CONFIG.methods)]),
        drive=r"self-[A-Za-z0-9][A-Za-z0-9_-]*",


# Another system's videos, on the frames of the truth. Folder and names: docs/tables.md.
rule external:
    input:
        video=PLAN.external_video,
        truth="results/identities/{identity}/drives/{drive}/truth.mp4",
    output:
        "results/variants/{external}/identities/{identity}/drives/{drive}/avatar/video.mp4",
    log:
        "results/variants/{external}/logs/external/{identity}@{drive}.log",
    benchmark:
        "results/variants/{external}/benchmarks/external/{identity}@{drive}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    resources:
        mem_mb=grows(2000),
        runtime=grows(20),
    params:
        config=stage_config("render"),
        code=stage_code("external"),
    shell:
        "python -m emotag.stages.external --video {input.video:q} --truth {input.truth:q} --out {output:q}"
        " --config {params.config:q} 2>&1 | tee -i {log:q}"
