# The prior: audio to motion, learnt from other people.


rule prior:
    input:
        corpus="results/corpus/{corpus}/{left_out}.safetensors",
    output:
        "results/prior/{corpus}/{left_out}/prior.safetensors",
    log:
        "results/logs/pretrain/{corpus}@{left_out}.log",
    benchmark:
        "results/benchmarks/pretrain/{corpus}@{left_out}@shared.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=8000,
        runtime=lambda wildcards, attempt: 720 * attempt,
    params:
        leave_out=lambda w: (
            w.left_out.removeprefix("without-") if w.left_out != "all" else ""
        ),
        state="results/state/pretrain/{corpus}/{left_out}",
        config=stage_config("pretrain"),
        code=stage_code("pretrain", METHOD),
    shell:
        "python -m emotag.stages.pretrain --corpus {input.corpus:q} --out {output:q} --state {params.state:q}"
        " --threads {threads}"
        " --config {params.config:q} 2>&1 | tee {log:q}"
