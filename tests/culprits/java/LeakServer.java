// SPDX-License-Identifier: BSD-2-Clause
// The Java server of field case 1: an accept loop and a fixed pool of 10 threads. The handler loops on read() and never
// closes the connection. Run with: java LeakServer.java [leak|spin]
//   leak  returns from the handler when read() gives -1
//   spin  calls read() again and again on -1
// Prints {"ready":true,"pid":P,"port":N}; ends when its stdin does.

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Collections;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

public class LeakServer {
    // A real leak has the sockets in some live structure; otherwise the garbage collector would close them.
    static final List<Socket> sessions = Collections.synchronizedList(new ArrayList<>());

    public static void main(String[] args) throws IOException {
        boolean spin = args.length > 0 && args[0].equals("spin");
        ServerSocket listener = new ServerSocket(0, 128, InetAddress.getByName("127.0.0.1"));
        ExecutorService handlers = Executors.newFixedThreadPool(10);
        Thread acceptor = new Thread(() -> acceptAll(listener, handlers, spin), "acceptor");
        acceptor.setDaemon(true);
        acceptor.start();
        System.out.println("{\"ready\":true,\"pid\":" + ProcessHandle.current().pid()
                + ",\"port\":" + listener.getLocalPort() + "}");
        System.out.flush();
        while (System.in.read() >= 0) { }
        System.exit(0);
    }

    static void acceptAll(ServerSocket listener, ExecutorService handlers, boolean spin) {
        while (true) {
            try {
                Socket session = listener.accept();
                sessions.add(session);
                handlers.submit(() -> handle(session, spin));
            } catch (IOException e) {
                System.err.println(e);
            }
        }
    }

    static void handle(Socket session, boolean spin) {
        byte[] bytes = new byte[1024];
        try {
            InputStream in = session.getInputStream();
            while (true) {
                int count = in.read(bytes);
                if (count == -1 && !spin) return;    // and nobody ever calls session.close()
                if (count != -1) System.err.println("read " + count + " bytes");
            }
        } catch (IOException e) {
            System.err.println(e);
        }
    }
}
