"""The peers behind one small face: play a trace, import its updates, read the text, save and load."""

from importlib.metadata import version

import loro
import pycrdt


class Yrs:
    """Yjs's Rust port, by its Python binding. Deleted text is dropped (garbage collection is on, as by default)."""

    name = "yrs"
    suffix = ".yrs.zst"
    version = "pycrdt " + version("pycrdt")

    def replay(self, update):
        document = pycrdt.Doc()
        document.apply_update(update)
        return document

    load = replay

    def text(self, document):
        return str(document.get("text", type=pycrdt.Text))

    def save(self, document):
        return document.get_update()

    def play(self, trace):
        """The whole history as one update, made by one document per agent."""
        replicas = [Yrs._Replica(agent + 1) for agent in range(trace.agents)]
        if trace.start:
            seed = Yrs._Replica(1 << 30)
            seed.edit([[0, 0, trace.start]])
            for replica in replicas:
                replica.receive(seed.sent[-1])
        made = []
        for transaction, arrivals in zip(trace.transactions, trace.arrivals()):
            replica = replicas[transaction.agent]
            for other in arrivals:
                replica.receive(made[other])
            made.append(replica.edit(transaction.patches))
        return replicas[trace.transactions[-1].agent].document.get_update()

    class _Replica:
        """Positions are bytes of UTF-8 here. Where something is not ASCII, a copy of the text tells them."""

        def __init__(self, client):
            self.document = pycrdt.Doc(client_id=client)
            self.content = self.document.get("text", type=pycrdt.Text)
            self.sent = []
            self.subscription = self.document.observe(lambda event: self.sent.append(event.update))
            self.length = 0

        def receive(self, update):
            if update:
                self.document.apply_update(update)
                self.length = None

        def edit(self, patches):
            before = len(self.sent)
            copy = None
            if self.length is None:
                self.length = len(str(self.content))
            # As many bytes as scalars: all is ASCII.
            if self.length != len(self.content) or not all(p[2].isascii() for p in patches):
                copy = str(self.content)
            with self.document.transaction():
                for position, deleted, inserted in patches:
                    start, length = position, deleted
                    if copy is not None:
                        start = len(copy[:position].encode())
                        length = len(copy[position : position + deleted].encode())
                        copy = copy[:position] + inserted + copy[position + deleted :]
                    if deleted:
                        del self.content[start : start + length]
                    if inserted:
                        self.content.insert(start, inserted)
                    self.length += len(inserted) - deleted
            return self.sent[-1] if len(self.sent) > before else None


class Loro:
    """Loro, by its Python binding. Keeps the whole history."""

    name = "loro"
    suffix = ".loro.upd.zst"
    version = "loro " + version("loro")

    def replay(self, update):
        document = loro.LoroDoc()
        document.import_(update)
        return document

    load = replay

    def text(self, document):
        return document.get_text("text").to_string()

    def save(self, document):
        return document.export(loro.ExportMode.Snapshot())

    def play(self, trace):
        """The whole history as one update, made by one document per agent."""
        replicas = []
        for agent in range(trace.agents):
            document = loro.LoroDoc()
            document.peer_id = agent + 1
            replicas.append(document)
        if trace.start:
            seed = loro.LoroDoc()
            seed.peer_id = 1 << 30
            update = Loro._edit(seed, [[0, 0, trace.start]])
            for document in replicas:
                document.import_(update)
        made = []
        is_alone = trace.agents == 1
        for transaction, arrivals in zip(trace.transactions, trace.arrivals()):
            document = replicas[transaction.agent]
            for other in arrivals:
                document.import_(made[other])
            made.append(Loro._edit(document, transaction.patches, is_alone))
        last = replicas[trace.transactions[-1].agent]
        last.commit()
        return last.export(loro.ExportMode.Updates(loro.VersionVector()))

    @staticmethod
    def _edit(document, patches, is_alone=False):
        before = None if is_alone else document.oplog_vv
        text = document.get_text("text")
        for position, deleted, inserted in patches:
            if deleted:
                text.delete(position, deleted)
            if inserted:
                text.insert(position, inserted)
        if is_alone:
            return None
        document.commit()
        return document.export(loro.ExportMode.Updates(before))


ENGINES = {engine.name: engine for engine in (Yrs, Loro)}
