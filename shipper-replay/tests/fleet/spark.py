"""Audits logs on Apache Spark: sends paths to the workers, and collects their reports.

    python3 spark.py PROGRAM LIST REPORT [PARTITIONS] [-- OPTION...]

PROGRAM is the absolute path of shipper-replay on every worker, because a piped program has no PATH. LIST has a line for
each log, with its path on the workers. This program writes REPORT: the reports in ndjson of all partitions, one
after the other. An OPTION, such as --registry NAME, is passed to the program.

The exit statuses of the workers are ignored, because each belongs to a part of the logs. For the conclusion on all
logs, and to check that none is missing, run `shipper-replay --merge --files-from LIST REPORT`.
"""

import shlex
import sys

from pyspark import SparkContext


def main(arguments):
    options = []
    if "--" in arguments:
        cut = arguments.index("--")
        arguments, options = arguments[:cut], arguments[cut + 1 :]
    program, paths, report, *partitions = arguments
    partitions = int(partitions[0]) if partitions else None

    spark = SparkContext(appName="shipper-replay")
    spark.setLogLevel("ERROR")
    with open(paths, encoding="utf-8", newline="\n") as lines:
        paths = [line.rstrip("\n") for line in lines]
    command = shlex.join([program, "--format", "ndjson", *options, "--files-from", "-"])
    lines = spark.parallelize(paths, partitions).pipe(command).collect()
    with open(report, "w", encoding="utf-8", newline="\n") as out:
        out.writelines(line + "\n" for line in lines)
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
