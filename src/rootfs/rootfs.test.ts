import { tmpdir } from 'node:os'
import { layerFormatContract } from './contract.ts'
import { layerFormat as erofs } from './erofs-format.ts'
import { layerFormat as extract } from './extract-format.ts'

layerFormatContract(erofs, tmpdir())
layerFormatContract(extract, tmpdir())
