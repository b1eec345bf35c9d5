/** Source: image-spec image-index.md. Values are normalised (`amd64`, never `x86_64`). */
export interface Platform {
  os: string
  architecture: string
  variant?: string
  'os.version'?: string
  'os.features'?: string[]
}
