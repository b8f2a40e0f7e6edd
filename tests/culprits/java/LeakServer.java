// SPDX-License-Identifier: BSD-2-Clause
// The Java server of field cases 1 and 2: an accept loop and a fixed pool of 10 threads, which never close a connection.
// Run with: java LeakServer.java [leak|spin|selector]
//   leak      the handler returns when read() gives -1
//   spin      the handler calls read() again and again on -1
//   selector  no pool: one thread with a Selector, which cancels the key on -1 and forgets the channel
// One line of JSON each: {"port", "truth"}, "accepted" after the first bytes, "leaked", "failed" when accept() first
// fails, "closed" after the line `close`, which closes the first connection. Ends when its stdin does.

import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

public class LeakServer {
    // A real leak has the sockets in some live structure; otherwise the garbage collector would close them.
    static final List<Closeable> sessions = Collections.synchronizedList(new ArrayList<>());

    public static void main(String[] args) throws IOException {
        String mode = args.length > 0 ? args[0] : "leak";
        int port = mode.equals("selector") ? startSelector() : startPool(mode.equals("spin"));
        String causes = mode.equals("spin")
                // It is on a processor all the time; without having seen its reads, that is all there is to see.
                ? "\"spin-on-eof\",\"acceptable\":[\"eof-ignored\"],\"acceptable_untraced\":[\"handler-busy\",\"unknown\"]"
                : "\"eof-ignored\"";
        say("{\"ready\":true,\"pid\":" + ProcessHandle.current().pid() + ",\"port\":" + port
                + ",\"truth\":{\"eof_read\":true,\"seen_reading\":true,\"cause\":" + causes + "}}");
        BufferedReader orders = new BufferedReader(new InputStreamReader(System.in));
        while ("close".equals(orders.readLine())) {
            Thread.currentThread().setName("orders");
            sessions.get(0).close();
            say("{\"closed\":1,\"thread\":\"orders\"}");
        }
        System.exit(0);
    }

    static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    static void sayFrom(String what) {
        say("{\"" + what + "\":1,\"thread\":\"" + Thread.currentThread().getName() + "\"}");
    }

    static void start(Runnable body, String name) {
        Thread thread = new Thread(body, name);
        thread.setDaemon(true);
        thread.start();
    }

    // --- a thread a connection, out of ten ---

    static int startPool(boolean spin) throws IOException {
        ServerSocket listener = new ServerSocket(0, 128, InetAddress.getByName("127.0.0.1"));
        ExecutorService handlers = Executors.newFixedThreadPool(10);
        start(() -> acceptAll(listener, handlers, spin), "acceptor");
        return listener.getLocalPort();
    }

    static void acceptAll(ServerSocket listener, ExecutorService handlers, boolean spin) {
        boolean failed = false;
        while (true) {
            try {
                Socket session = listener.accept();
                sessions.add(session);
                handlers.submit(() -> handle(session, spin));
            } catch (IOException e) {    // java.net.SocketException: Too many open files
                if (!failed) sayFrom("failed");
                failed = true;
                pause();
            }
        }
    }

    static void pause() {
        try {
            Thread.sleep(100);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    static void handle(Socket session, boolean spin) {
        byte[] bytes = new byte[1024];
        boolean told = false;
        try {
            InputStream in = session.getInputStream();
            while (true) {
                int count = in.read(bytes);
                if (count != -1) {
                    sayFrom("accepted");
                    continue;
                }
                if (!told) sayFrom("leaked");
                told = true;
                if (!spin) return;    // and nobody ever calls session.close()
            }
        } catch (IOException e) {
            System.err.println(e);
        }
    }

    // --- one thread with a selector ---

    static int startSelector() throws IOException {
        Selector selector = Selector.open();
        ServerSocketChannel listener = ServerSocketChannel.open();
        listener.bind(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0));
        listener.configureBlocking(false);
        listener.register(selector, SelectionKey.OP_ACCEPT);
        start(() -> select(selector, listener), "selector");
        return listener.socket().getLocalPort();
    }

    static void select(Selector selector, ServerSocketChannel listener) {
        try {
            while (true) {
                selector.select();
                for (Iterator<SelectionKey> keys = selector.selectedKeys().iterator(); keys.hasNext();) {
                    SelectionKey key = keys.next();
                    keys.remove();
                    if (key.isAcceptable()) accept(selector, listener);
                    else read(key);
                }
            }
        } catch (IOException e) {
            System.err.println(e);
        }
    }

    static void accept(Selector selector, ServerSocketChannel listener) throws IOException {
        SocketChannel session = listener.accept();
        sessions.add(session);
        session.configureBlocking(false);
        session.register(selector, SelectionKey.OP_READ);
    }

    static void read(SelectionKey key) throws IOException {
        int count = ((SocketChannel) key.channel()).read(ByteBuffer.allocate(1024));
        if (count == -1) key.cancel();    // and not key.channel().close()
        sayFrom(count == -1 ? "leaked" : "accepted");
    }
}
