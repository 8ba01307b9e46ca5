# Files of wheels that no Python program can load, left out of every closure because of their size.
{
  temporalio = [
    # The Rust sources the extension module was compiled from: 12 MB.
    "temporalio/bridge/sdk-core"
    "temporalio/bridge/src"
  ];
}
