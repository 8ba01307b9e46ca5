# Import names of locked distributions outside an image's closure, where they are not the distribution's own name. What is
# inside a closure is asked itself; what is not is never unpacked, and a finding shall still name whom to add.
{
  pyyaml = [ "yaml" ];
}
