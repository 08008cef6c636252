// Unpacks the Chromium of @sparticuz/chromium into a folder: itself, the libraries that a bare machine lacks, and fonts.
// It unpacks into what the system calls its temporary folder, so this is to be run with TMPDIR as the folder.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import chromium, { inflate } from "@sparticuz/chromium";

const packed = join(dirname(fileURLToPath(import.meta.resolve("@sparticuz/chromium"))), "..", "bin");
await inflate(join(packed, "al2023.tar.br"));
console.log(await chromium.executablePath(packed));
