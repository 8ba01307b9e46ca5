# The import boundary of each image, as a derivation the image waits for.
{ toolchain, closures }:
{ src, declarationFiles, declarations }:
{
  checksOf = name: [ ];
}
