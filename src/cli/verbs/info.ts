import { goJson } from '../render/format-functions.ts'
import { compileTemplate } from '../render/go-template.ts'
import { binarySize } from '../render/human-units.ts'
import { defineVerb } from '../verb.ts'

export const verb = defineVerb<{ format?: string }>({
  name: 'info',
  summary: 'Show what this machine and its store are',
  arguments: { max: 0 },
  options: [{ flags: '-f, --format <TEMPLATE>', description: "'json', or a Go template" }],
  examples: [
    { command: 'bale info', explains: 'Counts, layer format, kernel, folders' },
    { command: `bale info --format '{{.Driver}}'`, explains: 'How layers lie on disk: erofs or extract' },
  ],
  async run({ options, engine, io }) {
    const facts = await engine.information()
    if (options.format !== undefined) {
      await io.print(options.format === 'json' ? goJson(facts) : compileTemplate(options.format)(facts))
      return 0
    }
    const lines = [
      `Containers: ${facts.Containers}`,
      ` Running: ${facts.ContainersRunning}`,
      ` Paused: ${facts.ContainersPaused}`,
      ` Stopped: ${facts.ContainersStopped}`,
      `Images: ${facts.Images}`,
      `Version: ${facts.ServerVersion}`,
      `Layer Format: ${facts.Driver}`,
      `Cgroup Version: ${facts.CgroupVersion}`,
      `Kernel Version: ${facts.KernelVersion}`,
      `Operating System: ${facts.OperatingSystem}`,
      `OSType: ${facts.OSType}`,
      `Architecture: ${facts.Architecture}`,
      `CPUs: ${facts.NCPU}`,
      `Total Memory: ${binarySize(facts.MemTotal)}`,
      `Name: ${facts.Name}`,
      `Store Root: ${facts.DockerRootDir}`,
      `Run Directory: ${facts.RunDir}`,
    ]
    await io.print(lines.join('\n'))
    return 0
  },
})
