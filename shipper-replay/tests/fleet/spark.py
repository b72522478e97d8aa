"""Audits logs on Apache Spark: paths go out to the workers, reports come back.

    python3 spark.py PROGRAM LIST REPORT [PARTITIONS] [-- OPTION...]

PROGRAM is the full path of shipper-replay, the same on every worker: a piped program has no PATH to be found on. LIST names
a log on each line, as the workers reach it. REPORT is written: one report in ndjson for each partition, one after the other.
An OPTION goes to the program, such as --registry NAME.

The exit statuses of the workers say what they concluded and are not looked at. What they conclude together, and
whether everything is there, is for `shipper-replay --merge --files-from LIST REPORT` to say.
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
