# Figures for print, all of artifacts of one run.


rule figures_of_drive:
    input:
        truth="results/identities/{identity}/drives/{drive}/truth.mp4",
        videos=expand(
            "results/identities/{{identity}}/drives/{{drive}}/{variant}/video.mp4",
            variant=VARIANTS,
        ),
        others=PAPER.compared,
        motion="results/identities/{identity}/drives/{drive}/avatar/motion.safetensors",
        crop=lambda w: PLAN.cue_file(w, "crop.mp4"),
        labels=lambda w: PLAN.cue_file(w, "labels.mkv"),
        overlay=lambda w: PLAN.cue_file(w, "overlay.mp4"),
        emotion=lambda w: PLAN.cue_file(w, "emotion.safetensors"),
        speech=lambda w: PLAN.cue_file(w, "speech.safetensors"),
        sync=lambda w: PLAN.cue_file(w, "sync.json"),
        action_units=lambda w: PLAN.cue_file(w, "action_units.safetensors"),
    output:
        strip=figure_files("{identity}/{drive}/strip", "strip"),
        guidance=figure_files("{identity}/{drive}/guidance", "guidance"),
        teacher=figure_files("{identity}/{drive}/teacher", "teacher"),
        gate=figure_files("{identity}/{drive}/gate", "gate"),
        pipeline=figure_files("{identity}/{drive}/pipeline", "pipeline"),
    log:
        "results/logs/figures_of_drive/{identity}@{drive}.log",
    benchmark:
        "results/benchmarks/figures_of_drive/{identity}@{drive}.jsonl"
    wildcard_constraints:
        drive=r"self-[A-Za-z0-9][A-Za-z0-9_-]*",
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(20),
    params:
        code=stage_code("figures"),
    shell:
        "python -m emotag.stages.figures --truth {input.truth:q} --videos {input.videos:q} {input.others:q} --motion {input.motion:q}"
        " --crop {input.crop:q} --labels {input.labels:q} --overlay {input.overlay:q} --emotion {input.emotion:q}"
        " --speech {input.speech:q} --sync {input.sync:q} --action-units {input.action_units:q}"
        " --out-strip {output.strip:q} --out-guidance {output.guidance:q} --out-teacher {output.teacher:q}"
        " --out-gate {output.gate:q} --out-pipeline {output.pipeline:q} 2>&1 | tee -i {log:q}"


rule curves:
    input:
        made="results/identities/{identity}/avatar.safetensors",
    output:
        figure_files("{identity}/curves", "curves"),
    log:
        "results/logs/curves/{identity}.log",
    benchmark:
        "results/benchmarks/curves/{identity}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(1000),
        runtime=grows(10),
    params:
        state="results/state/adapt/{identity}",
        code=stage_code("curves"),
    shell:
        "python -m emotag.stages.curves --made {input.made:q} --state {params.state:q} --out {output:q} 2>&1 | tee -i {log:q}"


rule curves_of_prior:
    input:
        made="results/prior/{corpus}/{left_out}/prior.safetensors",
    output:
        figure_files("prior/{corpus}@{left_out}", "curves"),
    log:
        "results/logs/curves_of_prior/{corpus}@{left_out}.log",
    benchmark:
        "results/benchmarks/curves_of_prior/{corpus}@{left_out}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(1000),
        runtime=grows(10),
    params:
        state="results/state/pretrain/{corpus}/{left_out}",
        code=stage_code("curves"),
    shell:
        "python -m emotag.stages.curves --made {input.made:q} --state {params.state:q} --out {output:q} 2>&1 | tee -i {log:q}"


# Which clips: figures.neutral and figures.emotional of the configuration.
rule mouths:
    input:
        neutral=f"results/clips/{CONFIG.figures.neutral}/landmarks.safetensors",
        emotional=f"results/clips/{CONFIG.figures.emotional}/landmarks.safetensors",
    output:
        figure_files("mouths", "mouths"),
    log:
        "results/logs/mouths/shared.log",
    benchmark:
        "results/benchmarks/mouths/shared.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(1000),
        runtime=grows(10),
    params:
        code=stage_code("mouths"),
    shell:
        "python -m emotag.stages.mouths --neutral {input.neutral:q} --emotional {input.emotional:q} --out {output:q}"
        " 2>&1 | tee -i {log:q}"
