def from_server(asked, watcher): raise NotImplementedError
